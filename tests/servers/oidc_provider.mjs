// Configure the npm package oidc-provider: the protocol is the package's, only settings and two small pages are ours.
import { appendFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse(process.env.SETTINGS);
const { default: Provider, errors } = await import(pathToFileURL(process.env.OIDC_PROVIDER).href);

const issuer = `http://127.0.0.1:${settings.port}`;
const api = `${issuer}/api`;
const device = 'urn:ietf:params:oauth:grant-type:device_code';
const scope = 'api:read api:write';

// A client of type native may use any port of its loopback address, as RFC 8252 section 7.3 wants.
const common = {
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  redirect_uris: settings.callbacks,
  application_type: 'native',
};
const confidential = (method, more) => ({ ...common, client_id: method, token_endpoint_auth_method: method, ...more });

const clients = [
  confidential('client_secret_basic', { client_secret: settings.secret }),
  confidential('client_secret_post', { client_secret: settings.secret }),
  confidential('client_secret_jwt', { client_secret: settings.secret }),
  confidential('private_key_jwt', { jwks: { keys: [settings.jwk] } }),
  { ...common, client_id: 'public', token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'] },
  // Secrets with characters that RFC 6749 section 2.3.1 has a client percent-encode before Basic.
  { ...common, client_id: 'odd', client_secret: settings.odd, token_endpoint_auth_method: 'client_secret_basic' },
  {
    client_id: 'device', token_endpoint_auth_method: 'none', application_type: 'native',
    grant_types: [device, 'refresh_token'], redirect_uris: [], response_types: [],
  },
];

const ttl = settings.lifetime;
const day = 86400;
const provider = new Provider(issuer, {
  clients,
  scopes: ['openid', 'offline_access', ...scope.split(' ')],
  claims: { openid: ['sub'], email: ['email'] },
  cookies: { keys: ['not-a-secret'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.test` }) }),
  pkce: { required: () => settings.pkce },
  // The package gives refresh tokens only to `offline_access` by default, and ends them with the browser session.
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  rotateRefreshToken: () => settings.rotate,
  ttl: {
    AccessToken: ttl, ClientCredentials: ttl, AuthorizationCode: 60, DeviceCode: 600, Grant: day,
    IdToken: 3600, Interaction: 600, RefreshToken: settings.refresh_lifetime, Session: day,
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, client, oneOf) => (oneOf ? oneOf[0] : settings.default_resource || undefined),
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => {
        if (resource !== api) throw new errors.InvalidTarget();
        return { scope, audience: resource, accessTokenFormat: 'opaque', accessTokenTTL: ttl };
      },
    },
  },
});

// One line for each answer of the token endpoint: the tests count renewals by it.
const note = (event, ctx, error) => appendFileSync(settings.journal, `${JSON.stringify({
  at: Date.now() / 1000,
  event,
  grant_type: ctx.oidc?.params?.grant_type ?? null,
  client: ctx.oidc?.client?.clientId ?? ctx.oidc?.params?.client_id ?? null,
  error: error?.message ?? null,
  detail: error?.error_detail ?? error?.error_description ?? null,
})}\n`);
provider.on('grant.success', (ctx) => note('grant.success', ctx));
provider.on('grant.error', (ctx, error) => note('grant.error', ctx, error));
provider.on('grant.revoked', (ctx) => note('grant.revoked', ctx));
provider.on('server_error', (ctx, error) => { note('server_error', ctx, error); console.error(error); });

// A protected resource (RFC 6750) with its metadata (RFC 9728); unlike /me it also takes tokens that have an audience.
async function owner(ctx) {
  const [, value] = /^Bearer (.+)$/iu.exec(ctx.get('authorization')) ?? [];
  const found = value && (await provider.AccessToken.find(value) ?? await provider.ClientCredentials.find(value));
  return found?.isValid ? found : undefined;
}

provider.use(async (ctx, next) => {
  if (ctx.path === '/.well-known/oauth-protected-resource/api') {
    ctx.body = { resource: api, authorization_servers: [issuer], scopes_supported: scope.split(' ') };
  } else if (ctx.path === '/api') {
    const token = await owner(ctx);
    ctx.status = token ? 200 : 401;
    if (!token) ctx.set('WWW-Authenticate', `Bearer error="invalid_token", resource_metadata="${issuer}/.well-known/oauth-protected-resource/api"`);
    ctx.body = token
      ? { client: token.clientId, sub: token.accountId ?? null, scope: token.scope ?? null, audience: token.aud ?? null }
      : { error: 'invalid_token' };
  } else {
    await next();
  }
});

provider.listen(settings.port, '127.0.0.1');

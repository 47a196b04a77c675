"""A catalogue in Nango's format, of providers that do not exist."""

from __future__ import annotations

TEXT = """\
acme:
  display_name: Acme
  categories: [crm]
  auth_mode: API_KEY
  docs: https://docs.acme.test
  docs_connect: https://docs.acme.test/connect
  proxy:
    base_url: https://${connectionConfig.subdomain}.acme.test/api
    headers:
      x-acme-key: ${apiKey}
      x-acme-version: ${connectionConfig.apiVersion} || 2026-01-01
      x-acme-team: team ${connectionConfig.team}
    query: {trace: "${random}"}
    decompress: true
    retry: {after: [x-acme-wait], error_code: ["429", "5xx"]}
    paginate:
      type: cursor
      cursor_name_in_request: after
      cursor_path_in_response: meta.next
      limit_name_in_request: limit
      response_path: data
    verification: {method: GET, endpoints: ["/v1/me?with=${connectionConfig.subdomain}"]}
  credentials:
    apiKey: {type: string, title: Key, pattern: "^ak_", doc_section: "#key", example: ak_1}
  connection_config:
    apiVersion: {type: string, title: Version, optional: true, order: 3}
    team: {type: string, title: Team, optional: true, order: 2}
    subdomain: {type: string, title: Domain, suffix: .acme.test, prefix: "https://", order: 1, pattern: "^[a-z]+$"}
acme-eu:
  alias: acme
  display_name: Acme in Europe
  proxy: {base_url: "https://${connectionConfig.subdomain}.acme-eu.test/api"}
bolt:
  auth_mode: OAUTH2
  authorization_url: https://${connectionConfig.host}/authorize || https://login.bolt.test/authorize
  authorization_url_skip_encode: [scopes, base_url]
  token_url: https://${connectionConfig.host}/token || https://login.bolt.test/token
  token_params: {grant_type: authorization_code}
  token_response_metadata: [instance.url]
  token_expires_in_ms: 7200000
  default_scopes: [read]
  proxy:
    base_url: ${connectionConfig.instance.url}
    headers: {x-bolt-token: "${accessToken}", user-agent: "${connectionConfig.app}"}
  connection_config:
    host: {type: string, title: Host}
    app: {type: string, title: App, automated: true}
  post_connection_script: boltPostConnection
cork:
  auth_mode: OAUTH2_CC
  token_url: https://cork.test/token
  token_params: {audience: "${connectionConfig.audience} || https://api.cork.test"}
  proxy: {base_url: "https://api.cork.test"}
  connection_config:
    audience: {type: string, title: Audience, optional: true}
    oauth_scopes: {type: string, title: Scopes, optional: true}
dune:
  auth_mode: TWO_STEP
  token_url: https://${connectionConfig.server}/login
  token_params: {user: "${credentials.userName}", pass: "${credentials.password}"}
  token_headers: {authorization: "Basic ${base64(${credentials.userName}:${credentials.password})}"}
  token_response: {token: sessionId, token_expiration: ttl, token_expiration_strategy: expireIn}
  proxy: {base_url: "https://${connectionConfig.server}", headers: {x-session: "${accessToken}"}}
  credentials:
    userName: {type: string, title: User}
    password: {type: string, title: Password, default_value: ""}
  connection_config: {server: {type: string, title: Server}}
echo:
  auth_mode: BASIC
  proxy:
    base_url: https://echo.test
    headers:
      x-day: ${now:YYYYMMDD}
      x-sign: ${hmacSha1Hex(${method} ${path}, ${credentials.password})}
  credentials: {username: {type: string, title: User}, password: {type: string, title: Password}}
fjord:
  auth_mode: CUSTOM
  proxy: {base_url: "https://fjord.test"}
gale:
  alias: nobody
hill:
  alias: hill
iris:
  auth_mode: API_KEY
  proxy: {headers: {x-key: "${apiKey}"}}
"""

"""AWS_SIGV4: requests signed with an access key, or with the temporary key of a role (Signature Version 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.address import endpoint_text
from nango_py.auth.aws_signature import AwsKeys, AwsSigner
from nango_py.auth.expiry import leeway_of, moment_of
from nango_py.auth.grant import BadAnswer, Obtained, Refused, TokenRequest
from nango_py.auth.scheme import AuthScheme, revealed
from nango_py.field import Field
from nango_py.paths import compile_path
from nango_py.template import Template, TemplateError

if TYPE_CHECKING:
    from nango_py.auth.grant import Account, Grant, TokenAnswer
    from nango_py.http import Request

__all__ = ["AwsSigV4"]

_SCOPE_PART = re.compile(r"[a-z0-9-]{1,64}")
_TEMPORARY = ("temporary_access_key_id", "temporary_secret_access_key", "temporary_session_token")
_FINAL = frozenset({"InvalidClientTokenId"})
"""STS says so of a key that does not exist; what else it refuses, the account's owner can allow again."""
_REFUSALS = frozenset({400, 401, 403, 404})
_TOO_MANY = frozenset({"Throttling", "ThrottlingException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSigV4(AuthScheme):
    """Sign every request with an access key: the connection's, or the integration's.

    Without ``access_key_id`` in a connection, ``oauth_client_id`` and ``oauth_client_secret`` are the key. With
    ``role_arn`` the key only serves to assume that role; requests are signed with the role's temporary key, which is
    renewed before it expires.
    """

    mode: ClassVar[str] = "AWS_SIGV4"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="access_key_id", title="Access key ID"),
        Field(name="secret_access_key", title="Secret access key", secret=True),
        Field(name="session_token", title="Session token", secret=True, optional=True),
    )
    templates: ClassVar[frozenset[str]] = frozenset(
        {"service", "region", "role_arn", "external_id", "role_session_name", "sts_url"}
    )
    needs_body: ClassVar[bool] = True
    extra: ClassVar[str | None] = "botocore:aws"

    service: Template
    region: Template
    role_arn: Template | None = None
    external_id: Template | None = None
    role_session_name: Template | None = None
    role_session_seconds: int = 3600
    sts_url: Template | None = None
    token_expiration_buffer: float | None = None
    placement: Literal["header", "none"] = "header"

    def is_complete(self, credentials: Mapping[str, Any]) -> bool:
        """Tell whether there is the role's key, where a role is declared."""
        return self.role_arn is None or all(credentials.get(name) for name in _TEMPORARY)

    def can_renew(self, credentials: Mapping[str, Any]) -> bool:
        """Tell whether there is a role to assume."""
        del credentials
        return self.role_arn is not None

    def expires_at(self, credentials: Mapping[str, Any]) -> float | None:
        """Return when the role's key stops working."""
        moment = credentials.get("expires_at")
        return None if moment is None else float(moment)

    def leeway(self, credentials: Mapping[str, Any]) -> float:
        """Return the declared leeway or five minutes, and at most a tenth of the key's lifetime."""
        return leeway_of(credentials, self.token_expiration_buffer)

    def urls(self) -> Iterator[Template]:
        """Yield the endpoint of STS, where it is declared."""
        if self.sts_url is not None:
            yield self.sts_url

    def sign(
        self, request: Request, values: Mapping[str, Any], *, now: float, nonce: str, body: bytes | None
    ) -> Request:
        """Return the request with its signature over the URL, the headers and the body."""
        del nonce
        if self.placement == "none":
            return request
        keys = _own_keys(values) if self.role_arn is None else _temporary_keys(values)
        service = _scope_part("service", self.service.render(values))
        return AwsSigner(keys=keys, service=service, region=self._region(values)).sign(request, now=now, body=body)

    def uses_header(self, name: str) -> bool:
        """Tell whether the scheme would set the header *name* itself."""
        return self.placement == "header" and name.lower() == "authorization"

    def renew(self, account: Account) -> Grant:
        """Assume the role (AWS STS, AssumeRole)."""
        region = self._region(account.values)
        signer = AwsSigner(keys=_own_keys(account.values), service="sts", region=region)
        answer = yield TokenRequest(
            url=self._sts_url(account, region),
            form={name: text for name, text in self._fields(account.values).items() if text is not None},
            headers={"Accept": "application/xml"},
            sign=lambda request: signer.sign(request, now=account.now, body=request.read()),
            purpose="request to assume the role",
        )
        return _temporary(answer, account)

    def _fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": None if self.role_arn is None else self.role_arn.render(values),
            "RoleSessionName": "nango_py"
            if self.role_session_name is None
            else self.role_session_name.render(values),
            "DurationSeconds": str(self.role_session_seconds),
            "ExternalId": None if self.external_id is None else self.external_id.value(values),
        }

    def _region(self, values: Mapping[str, Any]) -> str:
        return _scope_part("region", self.region.render(values))

    def _sts_url(self, account: Account, region: str) -> str:
        if self.sts_url is not None:
            return endpoint_text(self.sts_url, account.values)
        return f"https://sts.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}/"


def _scope_part(name: str, text: str) -> str:
    if not _SCOPE_PART.fullmatch(text):
        raise TemplateError(f"auth.{name} must be of a-z, 0-9 and '-', as in eu-west-1.")
    return text


def _own_keys(values: Mapping[str, Any]) -> AwsKeys:
    own = values.get("credentials") or values
    if access_key := revealed(own, "access_key_id"):
        token = revealed(own, "session_token") or None
        return AwsKeys(access_key=access_key, secret_key=revealed(own, "secret_access_key"), token=token)
    access_key, secret_key = revealed(values, "oauth_client_id"), revealed(values, "oauth_client_secret")
    if not (access_key and secret_key):
        raise TemplateError("there is no access key: register access_key_id and secret_access_key.")
    return AwsKeys(access_key=access_key, secret_key=secret_key)


def _temporary_keys(values: Mapping[str, Any]) -> AwsKeys:
    access_key, secret_key, token = (revealed(values, name) for name in _TEMPORARY)
    return AwsKeys(access_key=access_key, secret_key=secret_key, token=token)


def _temporary(answer: TokenAnswer, account: Account) -> Obtained:
    data = _data(answer)
    if answer.status != 200:  # noqa: PLR2004 - STS grants with 200 only
        raise _refusal(answer, data)
    try:
        keys = _found(data, "AssumeRoleResponse.AssumeRoleResult.Credentials") or _found(data, "Credentials") or {}
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        credentials = dict(zip(_TEMPORARY, (str(keys[name]) for name in names), strict=True))
        expires_at = moment_of(keys["Expiration"])
    except (KeyError, ValueError):
        raise BadAnswer("was answered without the key of the role", status=answer.status) from None
    return Obtained(credentials={**credentials, "expires_at": expires_at, "obtained_at": account.now})


def _data(answer: TokenAnswer) -> Mapping[str, Any]:
    from nango_py.auth.xml_body import read_xml  # noqa: PLC0415 - rarely needed

    try:
        return answer.data() or read_xml(answer.body)
    except ValueError:
        return {}


def _refusal(answer: TokenAnswer, data: Mapping[str, Any]) -> Exception:
    # Stand-ins for AWS put the error of STS into the frame of EC2's.
    paths = ("ErrorResponse.Error", "ErrorResponse.Errors.Error", "Error")
    error = next(filter(None, (_found(data, path) for path in paths)), {})
    code, message = str(error.get("Code") or ""), str(error.get("Message") or "")
    if answer.status not in _REFUSALS or code in _TOO_MANY:
        return BadAnswer(f"was answered {answer.status}", status=answer.status)
    return Refused(code, message, status=answer.status, is_final=code in _FINAL)


def _found(data: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    found = compile_path(path).find(data)
    return found if isinstance(found, Mapping) else None

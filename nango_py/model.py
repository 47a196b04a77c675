"""What a resolved integration is: where the read wing and the run wing meet.

Everything here is frozen and checked; nothing past this point looks at a dict of keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from nango_py.policy.retry_policy import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.auth import AuthScheme
    from nango_py.field import Field
    from nango_py.json_schema import Schema
    from nango_py.location import Location, Problem
    from nango_py.policy.breaker import CircuitBreaker
    from nango_py.policy.named_errors import NamedError
    from nango_py.policy.pagination import Pagination
    from nango_py.policy.rate_limit_rule import RateLimit
    from nango_py.secret import Secret
    from nango_py.template import Template, Tree

__all__ = [
    "Action",
    "ActionRequest",
    "Annotations",
    "Example",
    "FilePart",
    "GraphQL",
    "Integration",
    "ListStyle",
    "Network",
    "Output",
    "Overrides",
    "Provenance",
    "Raw",
    "Requests",
    "Sign",
    "Step",
    "Timeouts",
    "UsedBlueprint",
    "Verification",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What every request of an integration has in common."""

    base_url: Template
    headers: Mapping[str, Tree] = field(default_factory=dict)
    params: Mapping[str, Tree] = field(default_factory=dict)
    allowed_origins: tuple[str, ...] = ()
    cookies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A sign in an answer's body: the *value* at *path*; *message* leads to the provider's own words."""

    path: str
    value: Any
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A request that tells whether credentials work."""

    path: Template
    method: Literal["GET", "POST", "HEAD"] = "GET"
    params: Mapping[str, Tree] = field(default_factory=dict)
    headers: Mapping[str, Tree] = field(default_factory=dict)
    json: Tree = None
    status: tuple[int, ...] = ()
    expect: Sign | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A part of a multipart body that is a file."""

    file: Tree
    filename: Tree = None
    content_type: Tree = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A body of bytes as they are."""

    content: Tree
    content_type: Tree = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQL:
    """A GraphQL request (https://spec.graphql.org/October2021/#sec-Response-Format says what its answers are)."""

    query: str
    variables: Mapping[str, Tree] = field(default_factory=dict)
    operation_name: str | None = None
    allow_errors: bool = False


ListStyle = Literal["repeat", "comma", "brackets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """The request that an action sends, with one body at most."""

    path: Template
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    params: Mapping[str, Tree] = field(default_factory=dict)
    headers: Mapping[str, Tree] = field(default_factory=dict)
    list_style: ListStyle = "repeat"
    json: Tree = None
    form: Mapping[str, Tree] | None = None
    multipart: Mapping[str, Tree | FilePart] | None = None
    raw: Raw | None = None
    graphql: GraphQL | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What becomes of an action's answer."""

    items: str | None = None
    value: str | None = None
    map: Tree = None
    flatten: bool = False
    schema: Schema | None = None
    download: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What an action's requests do otherwise than those of its integration; None is as the integration does it."""

    action: str
    retry: RetryPolicy | None = None
    timeouts: Timeouts | None = None
    rate_limit: tuple[RateLimit, ...] = ()
    """Limits beside the integration's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """What an action does to the provider's data; None where nobody said."""

    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One run of an action: its input, the provider's answer and the output; an answer of None has no body."""

    input: Mapping[str, Any] = field(default_factory=dict)
    answer: Any = None
    answers: tuple[Any, ...] = ()
    output: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of an action: a request of its own, or another action; ``for_each`` item of a list, where it says so."""

    name: str
    location: Location
    own: Action | None = None
    action: str | None = None
    """The name of the other action, which is given ``input``."""
    input: Mapping[str, Tree] = field(default_factory=dict)
    for_each: Template | None = None
    when: Template | None = None
    concurrency: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A named unit of work of an integration, declared."""

    name: str
    location: Location
    request: ActionRequest | None = None
    """None where it has steps."""
    description: str = ""
    input: Schema | None = None
    paginate: Pagination | None = None
    """How its list is walked: that of the last step, where the list is the output."""
    output: Output = field(default_factory=Output)
    ok: Sign | None = None
    on_error: tuple[NamedError, ...] = ()
    steps: tuple[Step, ...] = ()
    requires_scopes: tuple[str | tuple[str, ...], ...] = ()
    """Each has to be granted; of a tuple, any one."""
    idempotency_key: Tree = None
    overrides: Overrides | None = None
    annotations: Annotations = field(default_factory=Annotations)
    example: Example | None = None
    calls: bool = False
    """Whether a placeholder calls ``now`` or ``uuid``, which an exchange then has to provide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How the provider is reached."""

    verify: bool | str = True
    client_certificate: str | None = None
    proxy: str | None = None
    allow_private: bool | None = None
    """None leaves it to where the URL's host comes from."""
    http2: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds that one attempt may take, by phase; 0 is no limit, None the integration's usual timeout.

    ``total`` is for all of it, from its beginning to the last byte of the answer; None is no limit.
    """

    connect: float | None = None
    read: float | None = None
    write: float | None = None
    pool: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedBlueprint:
    """A blueprint version that an integration is made of: its key and the file that it came from."""

    key: str
    source: str
    label: str = ""
    """Where that file belongs: ``local``, ``builtin`` or a pack's name."""

    @property
    def is_from_pack(self) -> bool:
        """Tell whether somebody else wrote it, whom the user has not read."""
        return self.label not in {"", "builtin", "local"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Say which layer set a value, and where."""

    location: Location
    layer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """An entry of ``integrations.yaml``, resolved: immutable, and independent of every other one."""

    name: str
    location: Location
    auth: AuthScheme
    requests: Requests
    blueprints: tuple[UsedBlueprint, ...] = ()
    credentials: tuple[Field, ...] = ()
    connection_config: tuple[Field, ...] = ()
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    rate_limit: tuple[RateLimit, ...] = ()
    rate_limit_shared: bool = False
    pagination: Pagination | None = None
    verification: Verification | None = None
    network: Network = field(default_factory=Network)
    timeouts: Timeouts = field(default_factory=Timeouts)
    circuit_breaker: CircuitBreaker | None = None
    response_limit: int | None = None
    actions: Mapping[str, Action] = field(default_factory=dict)
    oauth_client_id: Secret | None = None
    oauth_client_secret: Secret | None = None
    oauth_scopes: tuple[str, ...] = ()
    app_api_key: Secret | None = None
    http_request_timeout_seconds: float = 100.0
    log_level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    environment: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    """The environment variables that its placeholders name."""
    declared: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The merged keys as they were written, for ``explain``."""
    provenance: Mapping[str, Provenance] = field(default_factory=dict, repr=False)
    """Who set each declared leaf, by JSON pointer."""
    problems: tuple[Problem, ...] = ()
    """Warnings; an integration with errors is never built."""

"""What stands before moto? TLS, the signature, the policies and the keys; moto only stores and answers.

Refusals have each protocol's own form. What moto would take and AWS would not is refused here: uploads whose content is
not the one that was announced.
"""

import base64
import datetime as dt
import hashlib
import io
import json
import ssl
from collections.abc import Callable
from http import HTTPStatus
from xml.sax.saxutils import escape

from aiohttp import ClientSession, web

from rehearsal.live.stand_ins.aws import calls
from rehearsal.live.stand_ins.aws.calls import Call, UnknownCallError
from rehearsal.live.stand_ins.aws.judgement import Judgement
from rehearsal.live.stand_ins.aws.sessions import CredentialsError
from rehearsal.live.stand_ins.aws.signature import HttpRequest, Signed, verify
from rehearsal.live.stand_ins.judge import Denied

LARGEST = 256 * 2**20  # bytes of a request that is held in memory
_HOP = {"host", "content-length", "transfer-encoding", "expect", "connection", "accept-encoding"}
_OURS = {"content-length", "transfer-encoding", "connection", "server", "date"}
_NOT_A_REQUEST = {
    "SignatureDoesNotMatch",
    "RequestTimeTooSkewed",
    "AccessDenied",
    "InvalidClientTokenId",
    "ExpiredToken",
}


class _RefusedError(Exception):
    def __init__(self, code: str, message: str, status: int = HTTPStatus.FORBIDDEN) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class Gateway:
    """The regional endpoints on one address; `moto` is the URL of the server that stores."""

    def __init__(self, judgement: Judgement, moto: str, say: Callable[[str], None]) -> None:
        self._judgement, self._moto, self._say = judgement, moto, say
        self._client: ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, address: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen; the port, chosen when 0 is given."""
        self._client = ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=LARGEST)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port, ssl_context=tls).start()
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()
        if self._client:
            await self._client.close()

    async def _answer(self, incoming: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        request = HttpRequest(incoming.method, incoming.raw_path, headers, await incoming.read())
        context = {"aws:SecureTransport": "true" if incoming.secure else "false"}
        if tls := incoming.transport and incoming.transport.get_extra_info("ssl_object"):
            context["s3:TlsVersion"] = (tls.version() or "").removeprefix("TLSv")
        protocol = _protocol(request)
        try:
            signed = verify(request, self._judgement.sessions, dt.datetime.now(dt.UTC))
            protocol = "xml" if signed.service == "s3" else protocol
            call = self._judged(signed, request, context)
            return await self._forwarded(incoming, request, signed, call, context)
        except CredentialsError as error:
            status = HTTPStatus.FORBIDDEN if error.code in _NOT_A_REQUEST else HTTPStatus.BAD_REQUEST
            refused = _RefusedError(error.code, str(error), status)
        except UnknownCallError as error:
            refused = _RefusedError("NotImplemented", f"the stand-in does not know this call: {error}", 501)
        except Denied as denied:
            refused = _RefusedError("AccessDenied", str(denied))
        except _RefusedError as error:
            refused = error
        self._say(f"aws: {refused.code}: {refused}")
        return _refusal(protocol, refused, head=request.method == "HEAD")

    def _judged(self, signed: Signed, request: HttpRequest, context: dict[str, str]) -> Call:
        account = self._judgement.account()
        if signed.region != account.region:
            raise _RefusedError("AuthorizationHeaderMalformed", f"signed for {signed.region}", HTTPStatus.BAD_REQUEST)
        call = calls.of(signed.service, request, account)
        self._judgement.call(signed.caller, call, context)
        if signed.service == "s3" and request.method == "PUT":
            _compare_checksum(request)
        return call

    async def _forwarded(
        self, incoming: web.Request, request: HttpRequest, signed: Signed, call: Call, context: dict[str, str]
    ) -> web.StreamResponse:
        assert self._client is not None  # it is there while the gateway listens  # noqa: S101
        kept = {name: value for name, value in incoming.headers.items() if name.lower() not in _HOP}
        async with self._client.request(
            request.method,
            self._moto + request.target,
            data=io.BytesIO(request.body if call.body is None else call.body),
            headers={**kept, "Host": request.headers["host"].partition(":")[0]},
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
            if answer.status == HTTPStatus.NOT_FOUND and call.if_missing:
                self._judgement.need(signed.caller, call.if_missing, context)  # who may not list, may not know
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in _OURS}
            response = web.Response(status=answer.status, headers=headers, body=content)
            if request.method == "HEAD" and "Content-Length" in answer.headers:
                response.headers["Content-Length"] = answer.headers["Content-Length"]
            return response


def _compare_checksum(request: HttpRequest) -> None:
    """Moto keeps any content; S3 compares it with the checksum in the headers or in the signed link."""
    name = "x-amz-checksum-sha256"
    announced = request.headers.get(name) or request.query.get(name)
    if announced and announced != base64.b64encode(hashlib.sha256(request.body).digest()).decode():
        told = "The SHA256 you specified did not match the calculated checksum."
        raise _RefusedError("BadDigest", told, HTTPStatus.BAD_REQUEST)


def _protocol(request: HttpRequest) -> str:
    if "x-amz-target" in request.headers:
        return "json"
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return "query" if form or "Action" in request.query else "xml"


def _refusal(protocol: str, refused: _RefusedError, *, head: bool) -> web.Response:
    code, told = refused.code, str(refused)
    if protocol == "json":
        code = "AccessDeniedException" if code == "AccessDenied" else code
        return web.json_response(
            {"__type": code, "message": told},
            status=HTTPStatus.BAD_REQUEST if refused.status == HTTPStatus.FORBIDDEN else refused.status,
            headers={"x-amzn-errortype": code},
            content_type="application/x-amz-json-1.1",
            dumps=json.dumps,
        )
    error = f"<Code>{escape(code)}</Code><Message>{escape(told)}</Message>"
    text = f"<Error>{error}</Error>"
    if protocol == "query":
        text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
    return web.Response(status=refused.status, text="" if head else text, content_type="application/xml")

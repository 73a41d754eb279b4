"""The AWS double: moto, which also understands how CloudWatch is spoken to today.

CloudWatch's clients send CBOR (Smithy's RPC v2). moto knows its older query
protocol only, so such requests are said in the older words, and the answers of
moto in the newer ones. All other requests are moto's as they are.
"""

import gzip
import re
import sys
from io import BytesIO
from urllib.parse import urlencode

import botocore.session
import cbor2
import moto.server
from botocore import parsers, serialize
from werkzeug.test import run_wsgi_app

OPERATION = re.compile(r"/service/GraniteServiceVersion20100801/operation/(\w+)")
SERVICE = botocore.session.get_session().get_service_model("cloudwatch")


class Translated(moto.server.DomainDispatcherApplication):
    """moto's application, behind a translator."""

    def __call__(self, environ, start_response):
        called = OPERATION.fullmatch(environ["PATH_INFO"])
        if called is None:
            return super().__call__(environ, start_response)
        operation = SERVICE.operation_model(called[1])
        status, answer = self.ask(environ, operation)
        body = cbor2.dumps(answer, datetime_as_timestamp=True)
        headers = [
            ("Content-Type", "application/cbor"),
            ("Content-Length", str(len(body))),
            ("smithy-protocol", "rpc-v2-cbor"),
        ]
        start_response(status, headers)
        return [body]

    def ask(self, environ, operation):
        """moto's HTTP status, and what it answers or what is wrong."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if environ.get("HTTP_CONTENT_ENCODING") == "gzip":
            body = gzip.decompress(body)
        wanted = cbor2.loads(body) if body else {}
        query = serialize.create_serializer("query", include_validation=False)
        form = query.serialize_to_request(wanted, operation)["body"]
        form = urlencode(form).encode()
        asked = {
            **environ,
            "PATH_INFO": "/",
            "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8",
            "CONTENT_LENGTH": str(len(form)),
            "HTTP_CONTENT_ENCODING": "",
            "wsgi.input": BytesIO(form),
        }
        parts, status, headers = run_wsgi_app(super().__call__, asked)
        response = {
            "body": b"".join(parts),
            "headers": dict(headers),
            "status_code": int(status.split()[0]),
        }
        parser = parsers.create_parser("query")
        answer = parser.parse(response, operation.output_shape)
        answer.pop("ResponseMetadata", None)
        if error := answer.pop("Error", None):
            return status, {"__type": error["Code"], "message": error["Message"]}
        return status, answer


moto.server.DomainDispatcherApplication = Translated
moto.server.main(sys.argv[1:])

"""One uploaded file, in memory: the framework's form parser would spool it to a disk nobody sealed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from crm.errors import Invalid
from crm.kit.pii import Pii

LONGEST_FIELD = 200


@dataclass(slots=True)
class Form:
    """The file, what the client calls it and says it is, and the short fields beside it."""

    fields: dict[str, str] = field(default_factory=dict)
    file: bytearray | None = None
    file_name: Pii[str] = field(default_factory=lambda: Pii(""))
    file_type: str = ""


class _Collector:
    """Takes the parser's callbacks; a file's name is a client's words, handed on and not looked at."""

    def __init__(self) -> None:
        self.form = Form()
        self._header = b""
        self._value = b""
        self._name = self._file_name = self._type = ""
        self._data = bytearray()

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
        }

    def _part_begin(self) -> None:
        self._name = self._file_name = self._type = ""
        self._data = bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        header = self._header.lower()
        if header == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"").decode("latin-1")
            self._file_name = options.get(b"filename", b"").decode("utf-8", "replace")
        elif header == b"content-type":
            self._type = self._value.decode("latin-1")
        self._header = self._value = b""

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]
        if self._name != "file" and len(self._data) > LONGEST_FIELD:
            raise Invalid("A field is too long.", pointer="/body")

    def _part_end(self) -> None:
        if self._name == "file":
            self.form.file, self.form.file_type = self._data, self._type
            self.form.file_name = Pii(self._file_name)
        else:
            self.form.fields[self._name] = self._data.decode("utf-8", "replace")


async def read_form(request: Request) -> Form:
    """Read a `multipart/form-data` body; its size was limited before.

    Raises:
        Invalid: another kind of body, a broken one, or one without a part named `file`.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise Invalid("Send multipart/form-data.", pointer="/header/content-type")
    collector = _Collector()
    try:
        parser = MultipartParser(options[b"boundary"], collector.callbacks())  # type: ignore[arg-type]
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise Invalid("The form is broken.", pointer="/body") from error
    if collector.form.file is None:
        raise Invalid("Send the file in a part named file.", pointer="/body/file")
    return collector.form

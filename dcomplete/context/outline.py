"""Signatures: what a file defines, without the bodies, and what of it matters at one place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from dcomplete.context.languages import Language
from dcomplete.context.trees import Parsed

MOST_DEFINITIONS = 600
LONGEST_SIGNATURE = 400  # characters


def _kinds(words: str) -> frozenset[str]:
    """Names of tree-sitter nodes, of all grammars together: they do not contradict each other."""
    return frozenset(words.split())


_FUNCTIONS = _kinds(
    "function_definition function_declaration generator_function_declaration method_definition "
    "method_declaration constructor_declaration function_item function_signature_item "
    "method_signature abstract_method_signature method singleton_method "
    "protocol_function_declaration init_declaration secondary_constructor"
)
_CLASSES = _kinds(
    "class_definition class_declaration abstract_class_declaration class_specifier struct_specifier "
    "struct_declaration class module impl_item trait_item mod_item object_definition "
    "object_declaration trait_definition trait_declaration protocol_declaration "
    "interface_declaration namespace_definition namespace_declaration record_declaration "
    "internal_module extension_definition enum_definition"
)
_DATA = _kinds(
    "struct_item enum_item type_item union_item type_declaration type_alias_declaration "
    "enum_declaration enum_specifier type_definition struct_specifier struct_declaration "
    "interface_declaration trait_item protocol_declaration record_declaration union_specifier "
    "const_item type_alias typealias_declaration"
)
_WRAPPERS = _kinds(
    "decorated_definition export_statement template_declaration ambient_declaration "
    "linkage_specification preproc_ifdef preproc_if declaration_list block class_body "
    "field_declaration_list body_statement template_body interface_body enum_body "
    "file_scoped_namespace_declaration statement_block source declaration "
    "expression_statement program"
)
_VARIABLES = frozenset({"lexical_declaration", "variable_declaration", "public_field_definition"})
_VALUES = frozenset({"arrow_function", "function_expression", "function", "class"})
IMPORTS = _kinds(
    "import_statement import_from_statement future_import_statement import_declaration "
    "use_declaration preproc_include using_directive namespace_use_declaration import_header "
    "import import_list package_clause package_declaration package_header "
    "extern_crate_declaration"
)
_LONGEST_DATA = 10  # lines of a data type that is shown whole
_DEEPEST = 4
_NAMES = _kinds(
    "identifier type_identifier field_identifier property_identifier constant name word "
    "simple_identifier namespace_identifier private_property_identifier"
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One named thing. `start` and `end` are code points; `owner` is the class around it."""

    name: str
    signature: str  # on one line, without indentation and body
    owner: str
    start: int
    end: int
    indent: str
    note: str = ""  # first sentence of its documentation
    whole: bool = False  # the signature is everything there is

    @property
    def line(self) -> int:
        """The code point where its first line begins."""
        return self.start - len(self.indent)

    def shown(self, language: Language, note: bool = False) -> str:
        """The signature with a mark for the left-out body, and perhaps what it is for."""
        text = self.signature if self.whole else f"{self.signature} {language.elided}"
        sign = language.comment
        return f"{text}  {sign} {self.note}" if note and self.note and sign else text


def definitions(parsed: Parsed) -> list[Definition]:
    """What the document defines at its top and in its classes, in order."""
    found: list[Definition] = []
    for definition in _walk(parsed.root, parsed, "", 0):
        found.append(definition)
        if len(found) >= MOST_DEFINITIONS:
            break
    return found


def import_lines(parsed: Parsed, before: int) -> list[str]:
    """The import statements that end before the code point `before`, as they are."""
    limit = parsed.byte(before)
    found = []
    for node in parsed.root.named_children:
        if node.end_byte > limit:
            break
        if node.type in IMPORTS:
            found.append(parsed.text_of(node).replace("\r\n", "\n").rstrip())
    return found


def _walk(node: tree_sitter.Node, parsed: Parsed, owner: str, depth: int) -> Iterator[Definition]:
    for child in node.named_children:
        kind = child.type
        if kind in _FUNCTIONS or kind in _CLASSES or kind in _DATA:
            found = _definition(child, parsed, owner)
            if found is not None:
                yield found
            body = _body(child)
            if kind in _CLASSES and body is not None and depth < _DEEPEST:
                inner = found.name if found else owner
                yield from _walk(body, parsed, inner, depth + 1)
        elif kind in _VARIABLES:
            yield from _variables(child, parsed, owner)
        elif (kind in _WRAPPERS or kind == "ERROR") and depth < _DEEPEST:
            yield from _walk(child, parsed, owner, depth + 1)


def _variables(node: tree_sitter.Node, parsed: Parsed, owner: str) -> Iterator[Definition]:
    """Functions that are kept in variables: `const add = (a, b) => ...`."""
    for declarator in (node, *node.named_children):
        value = declarator.child_by_field_name("value")
        if value is not None and value.type in _VALUES:
            found = _definition(node, parsed, owner, value)
            if found is not None:
                yield found


def _definition(
    node: tree_sitter.Node, parsed: Parsed, owner: str, value: tree_sitter.Node | None = None
) -> Definition | None:
    name = _name(node, parsed)
    if not name:
        return None
    body = _body(value or node)
    text = parsed.text_of(node)
    lines = text.count("\n") + 1
    whole = body is None or (node.type in _DATA and lines <= _LONGEST_DATA)
    if not whole and body is not None:
        text = parsed.data[node.start_byte : body.start_byte].decode("utf-8", "replace")
    line = parsed.data.rfind(b"\n", 0, node.start_byte) + 1
    before = parsed.data[line : node.start_byte].decode("utf-8", "replace")
    return Definition(
        name=name,
        signature=flat(text),
        owner=owner,
        start=parsed.offset(node.start_byte),
        end=parsed.offset(node.end_byte),
        indent=before if not before.strip() else "",
        note=_note(node, body, parsed),
        whole=whole,
    )


def _name(node: tree_sitter.Node, parsed: Parsed) -> str:
    """The name of a definition, found below declarators where the grammar hides it there."""
    if node.type == "impl_item":
        typed = node.child_by_field_name("type")
        return parsed.text_of(typed) if typed is not None else ""
    current: tree_sitter.Node | None = node
    for _ in range(_DEEPEST + 1):
        if current is None or current.type in _NAMES:
            break
        current = (
            current.child_by_field_name("name")
            or current.child_by_field_name("declarator")
            or next((c for c in current.named_children if c.type in _NAMES), None)
            or next((c for c in current.named_children if c.type.endswith(("spec", "or"))), None)
        )
    return parsed.text_of(current).strip() if current is not None else ""


def _body(node: tree_sitter.Node) -> tree_sitter.Node | None:
    body = node.child_by_field_name("body")
    if body is not None:
        return body
    endings = ("body", "block", "declaration_list", "compound_statement")
    last = node.named_children[-1:]
    return last[0] if last and last[0].type.endswith(endings) else None


def flat(text: str) -> str:
    """`text` on one line, without what a line break leaves behind."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"(?<=[(\[]) | (?=[)\]])", "", text)
    text = re.sub(r",(?=[)\]])", "", text)
    if len(text) > LONGEST_SIGNATURE:
        text = text[:LONGEST_SIGNATURE].rsplit(" ", 1)[0] + " ..."
    return text


def _note(node: tree_sitter.Node, body: tree_sitter.Node | None, parsed: Parsed) -> str:
    """The first line of a docstring, or of the comment right above."""
    documented = body.named_child(0) if body is not None and body.named_child_count else None
    if documented is not None and documented.type == "expression_statement":
        documented = documented.named_child(0) if documented.named_child_count else None
    if documented is None or documented.type != "string":
        documented = node.prev_named_sibling
        if documented is None or "comment" not in documented.type:
            return ""
        if node.start_point[0] - documented.end_point[0] > 1:
            return ""
    for line in parsed.text_of(documented)[:500].split("\n"):
        words = line.strip().strip("/*!#-<>\"'`").strip()
        if words:
            return words[:100]
    return ""

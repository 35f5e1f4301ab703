"""Runs JSFX sources as they are shipped: a small compiler from EEL2, their language, to Python.

It knows what the effects use, no more, and refuses the rest. Precedence is EEL2's: `^`, `%`, `/`, `*`,
`-`, `+`, comparisons, logic. Locals must be set before they are read, memory is one list of numbers, and
an FFT that crosses a page of 65,536 numbers is an error, as REAPER's documentation has it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

_TOKEN = re.compile(
    r"\s*(\d+\.?\d*|\$pi|[a-z_][a-z0-9_]*|[-+*/%^=<>!]=|&&|\|\||[-+*/%^=<>!?:;,()\[\]])", re.I
)
_LEVELS = (
    ("||",),
    ("&&",),
    ("<", ">", "<=", ">=", "==", "!="),
    ("+",),
    ("-",),
    ("*",),
    ("/",),
    ("%",),
    ("^",),
)
_ASSIGNING = ("=", "+=", "-=", "*=", "/=")
_PAGE = 65536
Node = tuple[Any, ...]


class Effect:
    """A JSFX source, ready to run on one sound at a time.

    sliders  the default, lowest and highest value and the label of each.
    """

    def __init__(self, source: str) -> None:
        sections = dict(re.findall(r"^@(\w+)\n(.*?)(?=^@|\Z)", source, re.M | re.S))
        assert set(sections) == {"init", "slider", "sample"}
        self.sliders = [
            (float(default), float(low), float(high), label)
            for default, low, high, label in re.findall(
                r"^slider\d+:(\S+?)<(\S+?),(\S+?),[^>]*>(.*)$", source, re.M
            )
        ]
        self._functions: dict[str, tuple[list[str], list[str], list[Node]]] = {}
        self._globals: set[str] = {"spl0", "spl1", "srate", "pdc_delay", "pdc_bot_ch", "pdc_top_ch"}
        bodies = {name: self._parsed(text) for name, text in sections.items()}
        self._code = self._python(bodies)

    def render(self, samples: Tensor, rate: int, values: list[float]) -> Tensor:
        """Samples (2, time) through the effect with its delay taken off, float64."""
        assert len(values) == len(self.sliders)
        space: dict[str, Any] = {f"v_{name}": 0.0 for name in self._globals} | _builtins(values)
        space |= {f"v_slider{number}": value for number, value in enumerate(values, start=1)}
        space["v_srate"] = float(rate)
        exec(compile(self._code, "jsfx", "exec"), space)
        space["init"]()
        space["slider_section"]()
        delay = round(space["v_pdc_delay"])
        assert delay == 0 or (space["v_pdc_bot_ch"], space["v_pdc_top_ch"]) == (0, 2)
        padded = torch.nn.functional.pad(samples.double(), (0, delay))
        output = space["run"](*padded.tolist())
        return torch.tensor(output, dtype=torch.float64)[:, delay:]

    def _parsed(self, text: str) -> list[Node]:
        text = re.sub(r"//[^\n]*", "", text).strip().lower()
        tokens, position = [], 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            assert match, f"not EEL2: {text[position : position + 30]!r}"
            tokens.append(match.group(1))
            position = match.end()
            position += len(text[position:]) - len(text[position:].lstrip())
        parser = _Parser(tokens, self._functions)
        body = parser.block()
        assert not parser.tokens[parser.at :], parser.tokens[parser.at :][:5]
        return body

    def _python(self, bodies: dict[str, list[Node]]) -> str:
        lines: list[str] = []
        emitted = []
        for name, (parameters, own, body) in self._functions.items():
            writer = _Writer(set(parameters) | set(own), self._globals)
            writer.statements(body[:-1], 1)
            writer.result(body[-1])
            emitted.append((f"def f_{name}({', '.join('v_' + p for p in parameters)}):", writer.lines))
        for name, head in (
            ("init", "init()"),
            ("slider", "slider_section()"),
            ("sample", "run(lefts, rights)"),
        ):
            writer = _Writer(set(), self._globals)
            if name == "sample":
                writer.lines += [" outl, outr = [], []", " for v_spl0, v_spl1 in zip(lefts, rights):"]
                writer.statements(bodies[name], 2)
                writer.lines += ["  outl.append(v_spl0); outr.append(v_spl1)", " return outl, outr"]
            else:
                writer.statements(bodies[name], 1)
            emitted.append((f"def {head}:", writer.lines))
        declared = " global " + ", ".join(sorted(f"v_{name}" for name in self._globals))
        for head, body_lines in emitted:
            hidden = re.findall(r"v_\w+", head)
            own_names = self._functions.get(head[6:].split("(")[0], ([], [], []))[1]
            hidden += [f"v_{name}" for name in own_names]
            shown = [name for name in declared[8:].split(", ") if name not in hidden]
            lines += [head, " global " + ", ".join(shown), *body_lines, " return 0.0"]
        return "\n".join(lines)


class _Parser:
    def __init__(self, tokens: list[str], functions: dict[str, Any]) -> None:
        self.tokens, self.at, self._functions = tokens, 0, functions

    def block(self) -> list[Node]:
        found: list[Node] = []
        while self._peek() not in (")", None):
            if self._peek() == "function":
                self._function()
            elif self._peek() != ";":
                found.append(self._expression())
            if self._peek() == ";":
                self.at += 1
            elif self._peek() not in (")", None) and self.tokens[self.at - 1] != ")":
                raise AssertionError(f"a ; is missing before {self.tokens[self.at : self.at + 5]}")
        return found

    def _function(self) -> None:
        self.at += 1
        name = self._take()
        parameters = self._names()
        own: list[str] = []
        if self._peek() == "local":
            self.at += 1
            own = self._names()
        self._take("(")
        body = self.block()
        self._take(")")
        self._functions[name] = (parameters, own, body)

    def _names(self) -> list[str]:
        self._take("(")
        found = []
        while self._peek() != ")":
            token = self._take()
            if token != ",":
                found.append(token)
        self._take(")")
        return found

    def _expression(self) -> Node:
        left = self._binary(0)
        if self._peek() in _ASSIGNING:
            sign = self._take()
            assert left[0] in ("name", "index"), left
            return ("set", sign, left, self._expression())
        if self._peek() == "?":
            self._take()
            yes = self._expression()
            no = None
            if self._peek() == ":":
                self._take()
                no = self._expression()
            return ("if", left, yes, no)
        return left

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            sign = self._take()
            left = ("binary", sign, left, self._binary(level + 1))
        return left

    def _unary(self) -> Node:
        if self._peek() in ("-", "!"):
            return ("unary", self._take(), self._unary())
        node = self._primary()
        while self._peek() == "[":
            self._take()
            node = ("index", node, self._expression())
            self._take("]")
        return node

    def _primary(self) -> Node:
        token = self._take()
        if token == "(":
            body = self.block()
            self._take(")")
            return body[0] if len(body) == 1 else ("block", body)
        if token in ("loop", "while"):
            self._take("(")
            amount = self._expression()
            if token == "loop":
                self._take(",")
                body = self.block()
            else:
                self._take(")")
                self._take("(")
                body = self.block()
            self._take(")")
            return (token, amount, body)
        if re.match(r"\d", token):
            return ("number", token)
        if token == "$pi":
            return ("number", repr(math.pi))
        assert re.match(r"[a-z_]", token), token
        if self._peek() == "(":
            self._take()
            arguments = []
            while self._peek() != ")":
                arguments.append(self._expression())
                if self._peek() == ",":
                    self._take()
            self._take(")")
            assert token in self._functions or token in _PURE or token in _ACTING, f"no function {token} yet"
            return ("call", token, arguments)
        return ("name", token)

    def _peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self, wanted: str | None = None) -> str:
        token = self.tokens[self.at]
        assert wanted in (None, token), f"{wanted} wanted, {self.tokens[self.at : self.at + 5]} found"
        self.at += 1
        return token


class _Writer:
    def __init__(self, own: set[str], shared: set[str]) -> None:
        self.lines: list[str] = []
        self._own, self._shared = own, shared

    def statements(self, body: list[Node], depth: int) -> None:
        for node in body:
            self._statement(node, depth)

    def result(self, node: Node) -> None:
        if node[0] in ("name", "number", "binary", "unary", "index", "call"):
            self.lines.append(f" return {self._value(node)}")
        else:
            self._statement(node, 1)

    def _statement(self, node: Node, depth: int) -> None:
        pad = " " * depth
        if node[0] == "set":
            _, sign, target, value = node
            self.lines.append(f"{pad}{self._value(target)} {sign} {self._value(value)}")
        elif node[0] == "if":
            _, condition, yes, no = node
            self.lines.append(f"{pad}if {self._value(condition)}:")
            self._branch(yes, depth + 1)
            if no is not None:
                self.lines.append(f"{pad}else:")
                self._branch(no, depth + 1)
        elif node[0] == "loop":
            self.lines.append(f"{pad}for _ in range(int({self._value(node[1])} + 1e-5)):")
            self.statements(node[2], depth + 1)
        elif node[0] == "while":
            self.lines.append(f"{pad}while {self._value(node[1])}:")
            self.statements(node[2], depth + 1)
        elif node[0] == "block":
            self.statements(node[1], depth)
        else:
            self.lines.append(f"{pad}{self._value(node)}")

    def _branch(self, node: Node, depth: int) -> None:
        self._statement(node, depth)

    def _value(self, node: Node) -> str:
        kind = node[0]
        if kind == "number":
            return f"{float(node[1])!r}"
        if kind == "name":
            if node[1] not in self._own:
                self._shared.add(node[1])
            return f"v_{node[1]}"
        if kind == "index":
            return f"memory[int({self._value(node[1])} + {self._value(node[2])} + 1e-5)]"
        if kind == "unary":
            return f"({'not ' if node[1] == '!' else '-'}{self._value(node[2])})"
        if kind == "if":
            assert node[3] is not None
            return f"({self._value(node[2])} if {self._value(node[1])} else {self._value(node[3])})"
        if kind == "call":
            arguments = ", ".join(self._value(argument) for argument in node[2])
            return f"{'' if node[1] in _PURE or node[1] in _ACTING else 'f_'}{node[1]}({arguments})"
        assert kind == "binary", f"{kind} has no value here"
        _, sign, left, right = node
        a, b = self._value(left), self._value(right)
        if sign == "==":
            return f"(abs({a} - {b}) < 1e-5)"
        if sign == "!=":
            return f"(abs({a} - {b}) >= 1e-5)"
        if sign == "%":
            return f"(int(abs({a})) % int(abs({b})))"
        return f"({a} {({'^': '**', '&&': 'and', '||': 'or'}).get(sign, sign)} {b})"


_PURE: dict[str, Callable[..., float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log10": math.log10,
    "floor": math.floor,
    "ceil": math.ceil,
    "abs": abs,
    "min": min,
    "max": max,
}
_ACTING = ("slider", "memset", "memcpy", "fft", "ifft", "convolve_c")


def _builtins(values: list[float]) -> dict[str, Any]:
    memory = [0.0] * (1 << 19)

    def complexes(start: float, size: float) -> np.ndarray[Any, Any]:
        first, count = int(start), int(size)
        assert 16 <= count <= 32768, count
        assert count & (count - 1) == 0, count
        assert first % _PAGE + 2 * count <= _PAGE, "an FFT must not cross a page"
        return np.array(memory[first : first + 2 * count]).view(np.complex128)

    def keep(start: float, numbers: np.ndarray[Any, Any]) -> None:
        flat = np.ascontiguousarray(numbers).view(np.float64)
        memory[int(start) : int(start) + len(flat)] = flat.tolist()

    def memset(start: float, value: float, count: float) -> None:
        memory[int(start) : int(start) + int(count)] = [float(value)] * int(count)

    def memcpy(target: float, source: float, count: float) -> None:
        memory[int(target) : int(target) + int(count)] = memory[int(source) : int(source) + int(count)]

    return _PURE | {
        "memory": memory,
        "slider": lambda number: values[int(number + 1e-5) - 1],
        "memset": memset,
        "memcpy": memcpy,
        "fft": lambda at, size: keep(at, np.fft.fft(complexes(at, size))),
        "ifft": lambda at, size: keep(at, np.fft.ifft(complexes(at, size)) * size),
        "convolve_c": lambda to, by, size: keep(to, complexes(to, size) * complexes(by, size)),
    }

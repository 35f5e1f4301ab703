// The page: what is folded away on the screen is printed.
"use strict";

addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));

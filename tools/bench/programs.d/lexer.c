// A state machine: a switch of switches, through which every character goes.
#include "program.h"

static const char text[] =
    "int main(void) { /* a comment, * with / stars **/ double x = 3.25e-7, y = .5e+2;\n"
    "  const char* s = \"a \\\"string\\\" with \\\\ escapes\"; // to the end of the line\n"
    "  for (unsigned i = 0x1F; i != 1024 && s[i] <= 'z'; i += 3) total += i * 17 / (x - 2.0);\n"
    "  return sum_of_all_the_parts(total, \"\", 1e9, '\\n') >> 3 ? ~0 : -1; }\n";

struct Lexer {
    enum {
        between,
        word,
        number,
        fraction,
        exponent,
        quoted,
        escaped,
        slash,
        line,
        block,
        star,
        sign
    } state;
    uint8_t quote;
    uint64_t value, sum;
};

static void finish(struct Lexer* lexer) {
    lexer->sum = combine(lexer->sum, lexer->value);
    lexer->value = 0;
    lexer->state = between;
}

// Whether the character was used up; otherwise it begins something new.
static int take(struct Lexer* lexer, uint8_t c) {
    uint64_t* value = &lexer->value;
    // clang-format off
    switch (lexer->state) {
    case between:
        *value = c;
        switch (c) {
        case ' ': case '\n': *value = 0; return 1;
        case '0' ... '9': lexer->state = number; return 1;
        case 'a' ... 'z': case 'A' ... 'Z': case '_': lexer->state = word; return 1;
        case '"': case '\'': lexer->state = quoted; lexer->quote = c; return 1;
        case '/': lexer->state = slash; return 1;
        case '.': lexer->state = fraction; return 1;
        case '+': case '-': case '<' ... '>': case '!': case '&': case '|': lexer->state = sign; return 1;
        default: finish(lexer); return 1;
        }
    case word:
        switch (c) {
        case 'a' ... 'z': case 'A' ... 'Z': case '_': case '0' ... '9': *value = *value * 31 + c; return 1;
        default: finish(lexer); return 0;
        }
    case number:
        switch (c) {
        case '0' ... '9': *value = *value * 10 + c; return 1;
        case 'a' ... 'd': case 'f': case 'A' ... 'F': case 'x': *value = *value * 16 + c; return 1;
        case '.': lexer->state = fraction; return 1;
        case 'e': lexer->state = exponent; return 1;
        default: finish(lexer); return 0;
        }
    case fraction:
        switch (c) {
        case '0' ... '9': *value = *value * 10 - c; return 1;
        case 'e': lexer->state = exponent; return 1;
        default: finish(lexer); return 0;
        }
    case exponent:
        switch (c) {
        case '0' ... '9': case '+': *value = *value * 3 + c; return 1;
        case '-': *value = ~*value; return 1;
        default: finish(lexer); return 0;
        }
    case quoted:
        if (c == '\\') lexer->state = escaped;
        else if (c == lexer->quote) finish(lexer);
        else *value = *value * 33 ^ c;
        return 1;
    case escaped:
        switch (c) {
        case 'n': *value += '\n'; break;
        case 't': *value += '\t'; break;
        default: *value += c;
        }
        lexer->state = quoted;
        return 1;
    case slash:
        switch (c) {
        case '/': lexer->state = line; return 1;
        case '*': lexer->state = block; return 1;
        default: finish(lexer); return 0;
        }
    case line:
        if (c == '\n') finish(lexer);
        return 1;
    case block:
        if (c == '*') lexer->state = star;
        return 1;
    case star:
        if (c == '/') finish(lexer);
        else if (c != '*') lexer->state = block;
        return 1;
    case sign:
        switch (c) {
        case '=': case '&': case '|': case '>': case '<': *value = *value << 8 | c; finish(lexer); return 1;
        default: finish(lexer); return 0;
        }
    }
    // clang-format on
    return 1;
}

// Splits the text of a C program into words, numbers, strings, comments and signs.
uint64_t state_machine(void) {
    struct Lexer lexer = {0};
    for (int round = 0; round < 360000; ++round)
        for (const char* at = text; *at; ++at)
            while (!take(&lexer, (uint8_t)*at)) {
            }
    return combine(lexer.sum, lexer.value);
}

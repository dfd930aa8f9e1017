package tenantsql

const (
	maxTokens = 20_000 // beyond it a text counts as cut and unparsed
	maxDepth  = 100    // of nested queries, conditions and joins
	maxLooks  = 200_000
)

// tokenKind is the lexical class of a token.
type tokenKind uint8

const (
	tEnd      tokenKind = iota // the sentinel behind the last token
	tWord                      // unquoted name or keyword; sub is the keyword
	tQuoted                    // quoted identifier; sub is the quoting
	tString                    // string constant; sub is the quoting
	tNumber                    // numeric constant; sub is 1 if it is decimal digits only
	tParam                     // $n or ?; num is its ordinal
	tVariable                  // MySQL @name or @@name
	tOp                        // operator or punctuation; sub is the operator
)

// The quotings of strings and identifiers: how the text between the quotes is to be read.
const (
	quotePlain   uint8 = iota // doubled quotes only
	quoteEscape               // backslash escapes as well
	quoteUnicode              // U&: backslash and hex digits
	quoteDollar               // nothing inside is special
	quoteBits                 // b'' and x''
)

// The operators that the skimmer tells apart.
const (
	opOther uint8 = iota
	opLeft        // (
	opRight       // )
	opOpen        // [
	opClose       // ]
	opComma
	opDot
	opSemicolon
	opEqual
	opSafeEqual // MySQL <=>
	opAssign    // :=
	opCast      // ::
	opStar
	opPlus
	opMinus
	opSlash
	opPath    // -> ->> #> #>>: into a JSON document
	opOrder   // <> != < > <= >=
	opBang    // MySQL !
	opBothAnd // MySQL &&
	opBothOr  // MySQL ||: OR, or concatenation under PIPES_AS_CONCAT
)

// token is a piece of the text: sql[start:end].
type token struct {
	start, end int32
	num        int32 // tParam: ordinal, 1-based; opening bracket: index of its partner, -1 without one
	kind       tokenKind
	sub        uint8
}

func (t token) op(op uint8) bool { return t.kind == tOp && t.sub == op }

func (t token) word(k keyword) bool { return t.kind == tWord && keyword(t.sub) == k }

// name tells whether t can stand for an identifier.
func (t token) name() bool { return t.kind == tWord || t.kind == tQuoted }

package ir

import (
	"fmt"
	"strings"
)

// value prints the value of an expression.
func value(x *Expr) string {
	switch x.Op {
	case Literal, Integer:
		return "'" + x.Text + "'"
	case True:
		return "'true'"
	case False:
		return "'false'"
	case Param:
		return fmt.Sprintf("$%d", x.Index)
	case Setting:
		return "setting:" + x.Text
	case Null:
		return "NULL"
	case Default:
		return "DEFAULT"
	case Subquery:
		return subquery
	case Unnest:
		if vals := arrayOf(x.Args[0]); len(x.Args) == 1 && len(vals) == 1 {
			return vals[0]
		}
	}
	return unknown
}

// arrayOf gives the values of an array.
func arrayOf(x *Expr) set {
	switch x.Op {
	case Array:
		var vals set
		for _, a := range x.Args {
			vals = vals.add(value(a))
		}
		return vals
	case Param:
		return set{value(x) + "[]"}
	case Literal:
		inner, ok := strings.CutPrefix(x.Text, "{")
		inner, ok2 := strings.CutSuffix(inner, "}")
		if !ok || !ok2 || strings.ContainsAny(inner, `"\{}`) {
			return set{unknown}
		}
		var vals set
		for _, one := range strings.Split(inner, ",") {
			if one = strings.TrimSpace(one); strings.EqualFold(one, "null") {
				vals = vals.add("NULL")
			} else {
				vals = vals.add("'" + one + "'")
			}
		}
		return vals
	case Null:
		return set{"NULL"}
	}
	return set{unknown}
}

package mytree

import (
	"strconv"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/opcode"
	driver "github.com/pingcap/tidb/pkg/parser/test_driver"

	"tenantrace/lab/oracle/ir"
)

func exprs(list []ast.ExprNode) (out []*ir.Expr) {
	for _, n := range list {
		out = append(out, expr(n))
	}
	return out
}

func expr(n ast.ExprNode) *ir.Expr {
	switch x := n.(type) {
	case nil:
		return nil
	case *driver.ParamMarkerExpr:
		return &ir.Expr{Op: ir.Param, Index: x.Order + 1}
	case *driver.ValueExpr:
		return constant(x)
	case *ast.ColumnNameExpr:
		return &ir.Expr{Op: ir.Column, Names: names(x.Name)}
	case *ast.ParenthesesExpr:
		return expr(x.Expr)
	case *ast.RowExpr:
		return &ir.Expr{Op: ir.Row, Args: exprs(x.Values)}
	case *ast.DefaultExpr:
		if x.Name == nil {
			return &ir.Expr{Op: ir.Default}
		}
		return &ir.Expr{Op: ir.Call}
	case *ast.ValuesExpr:
		return &ir.Expr{Op: ir.OwnRow}
	case *ast.VariableExpr:
		name := strings.ToLower(x.Name)
		if x.Value != nil || x.IsGlobal {
			return &ir.Expr{Op: ir.Call, Args: []*ir.Expr{expr(x.Value)}}
		}
		if !x.IsSystem {
			name = "@" + name
		}
		return &ir.Expr{Op: ir.Setting, Text: name}
	case *ast.BinaryOperationExpr:
		return binary(x)
	case *ast.UnaryOperationExpr:
		return unary(x)
	case *ast.PatternInExpr:
		return in(x)
	case *ast.CompareSubqueryExpr:
		sub := query(x.R)
		if x.Op == opcode.EQ && !x.All {
			return &ir.Expr{Op: ir.Any, Args: []*ir.Expr{expr(x.L)}, Sub: sub}
		}
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{expr(x.L)}, Sub: sub}
	case *ast.SubqueryExpr:
		return scalar(query(x.Query))
	case *ast.ExistsSubqueryExpr:
		return &ir.Expr{Op: ir.Computed, Sub: query(x.Sel)}
	case *ast.SetCollationExpr:
		return expr(x.Expr)
	case *ast.FuncCastExpr:
		return cast(x)
	case *ast.FuncCallExpr:
		e := &ir.Expr{Op: ir.Call, Args: exprs(x.Args)}
		if x.FnName.L == "convert" {
			return e.Args[0]
		}
		return e
	case *ast.AggregateFuncExpr:
		return &ir.Expr{Op: ir.Call, Args: exprs(x.Args)}
	case *ast.WindowFuncExpr:
		return &ir.Expr{Op: ir.Call, Args: exprs(x.Args), Over: true}
	case *ast.BetweenExpr:
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{expr(x.Expr), expr(x.Left), expr(x.Right)}}
	case *ast.IsNullExpr:
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{expr(x.Expr)}}
	case *ast.IsTruthExpr:
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{expr(x.Expr)}}
	case *ast.PatternLikeOrIlikeExpr:
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{expr(x.Expr), expr(x.Pattern)}}
	case *ast.PatternRegexpExpr:
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{expr(x.Expr), expr(x.Pattern)}}
	case *ast.CaseExpr:
		args := []*ir.Expr{expr(x.Value), expr(x.ElseClause)}
		for _, w := range x.WhenClauses {
			args = append(args, expr(w.Expr), expr(w.Result))
		}
		return &ir.Expr{Op: ir.Computed, Args: args}
	}
	return &ir.Expr{Op: ir.Call}
}

func constant(x *driver.ValueExpr) *ir.Expr {
	switch v := x.GetValue().(type) {
	case nil:
		return &ir.Expr{Op: ir.Null}
	case int64:
		return &ir.Expr{Op: ir.Integer, Text: strconv.FormatInt(v, 10)}
	case uint64:
		return &ir.Expr{Op: ir.Integer, Text: strconv.FormatUint(v, 10)}
	case string:
		return &ir.Expr{Op: ir.Literal, Text: v}
	case []byte:
		return &ir.Expr{Op: ir.Literal, Text: string(v)}
	}
	return &ir.Expr{Op: ir.Call} // 1.5, 0x41, b'1'
}

// cast reads CAST, CONVERT(x, type) and BINARY x. A type with a length makes another value of a literal and no column of a column.
func cast(x *ast.FuncCastExpr) *ir.Expr {
	e := expr(x.Expr)
	if x.FunctionType == ast.CastBinaryOperator {
		return e
	}
	if x.FunctionType == ast.CastFunction && x.Tp.GetFlen() < 0 {
		return e
	}
	if e.Op == ir.Literal || e.Op == ir.Integer || e.Op == ir.Column || x.FunctionType == ast.CastConvertFunction {
		return &ir.Expr{Op: ir.Call, Args: []*ir.Expr{e}}
	}
	return e
}

func unary(x *ast.UnaryOperationExpr) *ir.Expr {
	e := expr(x.V)
	switch x.Op {
	case opcode.Not, opcode.Not2:
		return &ir.Expr{Op: ir.Not, Args: []*ir.Expr{e}}
	case opcode.Minus, opcode.Plus:
		if e.Op == ir.Integer && e.Text[0] != '-' {
			if x.Op == opcode.Minus {
				e.Text = "-" + e.Text
			}
			return e
		}
	}
	return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{e}}
}

func binary(x *ast.BinaryOperationExpr) *ir.Expr {
	args := []*ir.Expr{expr(x.L), expr(x.R)}
	switch x.Op {
	case opcode.LogicAnd:
		return &ir.Expr{Op: ir.And, Args: args}
	case opcode.LogicOr:
		return &ir.Expr{Op: ir.Or, Args: args}
	case opcode.EQ, opcode.NullEQ:
		return &ir.Expr{Op: ir.Equal, Args: args}
	}
	a, b := args[0], args[1]
	if a.Op == ir.Integer && b.Op == ir.Integer {
		l, _ := strconv.ParseInt(a.Text, 10, 64)
		r, _ := strconv.ParseInt(b.Text, 10, 64)
		truth, ok := map[opcode.Op]bool{opcode.NE: l != r, opcode.LT: l < r, opcode.LE: l <= r, opcode.GT: l > r, opcode.GE: l >= r}[x.Op]
		if ok && truth {
			return &ir.Expr{Op: ir.True}
		} else if ok {
			return &ir.Expr{Op: ir.False}
		}
	}
	return &ir.Expr{Op: ir.Computed, Args: args}
}

func in(x *ast.PatternInExpr) *ir.Expr {
	e := &ir.Expr{Op: ir.In, Args: append([]*ir.Expr{expr(x.Expr)}, exprs(x.List)...)}
	if x.Sel != nil {
		e.Sub = query(x.Sel)
	}
	if x.Not {
		return &ir.Expr{Op: ir.Not, Args: []*ir.Expr{e}}
	}
	return e
}

func scalar(q *ir.Query) *ir.Expr {
	if one := q.Arms[0]; len(q.Arms) == 1 && len(q.With) == 0 && len(one.Items) == 1 && len(one.From) == 0 && one.Where.Op == ir.True && one.Items[0].Expr != nil && one.Items[0].Expr.Op == ir.Setting {
		return one.Items[0].Expr
	}
	return &ir.Expr{Op: ir.Subquery, Sub: q}
}

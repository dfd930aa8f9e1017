package pgtree

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"tenantrace/lab/oracle/ir"
)

func expr(n *pg.Node) *ir.Expr {
	if n == nil || n.Node == nil {
		return nil
	}
	switch x := n.Node.(type) {
	case *pg.Node_ResTarget:
		return expr(x.ResTarget.Val)
	case *pg.Node_SortBy:
		return expr(x.SortBy.Node)
	case *pg.Node_AConst:
		return constant(x.AConst)
	case *pg.Node_ColumnRef:
		return column(x.ColumnRef)
	case *pg.Node_ParamRef:
		return &ir.Expr{Op: ir.Param, Index: int(x.ParamRef.Number)}
	case *pg.Node_TypeCast:
		return cast(x.TypeCast)
	case *pg.Node_CollateClause:
		return expr(x.CollateClause.Arg)
	case *pg.Node_SetToDefault:
		return &ir.Expr{Op: ir.Default}
	case *pg.Node_RowExpr:
		return &ir.Expr{Op: ir.Row, Args: exprs(x.RowExpr.Args)}
	case *pg.Node_AArrayExpr:
		return &ir.Expr{Op: ir.Array, Args: exprs(x.AArrayExpr.Elements)}
	case *pg.Node_BoolExpr:
		op := map[pg.BoolExprType]ir.Op{pg.BoolExprType_AND_EXPR: ir.And, pg.BoolExprType_OR_EXPR: ir.Or, pg.BoolExprType_NOT_EXPR: ir.Not}[x.BoolExpr.Boolop]
		return &ir.Expr{Op: op, Args: exprs(x.BoolExpr.Args)}
	case *pg.Node_AExpr:
		return operator(x.AExpr)
	case *pg.Node_SubLink:
		return sublink(x.SubLink)
	case *pg.Node_FuncCall:
		return call(x.FuncCall)
	case *pg.Node_NullTest:
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{expr(x.NullTest.Arg)}}
	case *pg.Node_BooleanTest:
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{expr(x.BooleanTest.Arg)}}
	case *pg.Node_CoalesceExpr:
		return &ir.Expr{Op: ir.Call, Args: exprs(x.CoalesceExpr.Args)}
	case *pg.Node_MinMaxExpr:
		return &ir.Expr{Op: ir.Call, Args: exprs(x.MinMaxExpr.Args)}
	case *pg.Node_CaseExpr:
		args := []*ir.Expr{expr(x.CaseExpr.Arg), expr(x.CaseExpr.Defresult)}
		for _, w := range x.CaseExpr.Args {
			args = append(args, expr(w.GetCaseWhen().Expr), expr(w.GetCaseWhen().Result))
		}
		return &ir.Expr{Op: ir.Computed, Args: args}
	case *pg.Node_AIndirection:
		return &ir.Expr{Op: ir.Computed, Args: append([]*ir.Expr{expr(x.AIndirection.Arg)}, exprs(x.AIndirection.Indirection)...)}
	case *pg.Node_AIndices:
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{expr(x.AIndices.Lidx), expr(x.AIndices.Uidx)}}
	case *pg.Node_List:
		return &ir.Expr{Op: ir.Row, Args: exprs(x.List.Items)}
	case *pg.Node_CurrentOfExpr:
		return &ir.Expr{Op: ir.Call}
	case *pg.Node_WindowDef:
		return &ir.Expr{Op: ir.Call, Args: append(exprs(x.WindowDef.PartitionClause), exprs(x.WindowDef.OrderClause)...)}
	}
	return &ir.Expr{Op: ir.Call}
}

func constant(x *pg.A_Const) *ir.Expr {
	switch {
	case x.Isnull:
		return &ir.Expr{Op: ir.Null}
	case x.GetBoolval() != nil:
		if x.GetBoolval().Boolval {
			return &ir.Expr{Op: ir.True}
		}
		return &ir.Expr{Op: ir.False}
	case x.GetIval() != nil:
		return number(x)
	case x.GetSval() != nil:
		return &ir.Expr{Op: ir.Literal, Text: x.GetSval().Sval}
	}
	return &ir.Expr{Op: ir.Call} // 1.5, b'01'
}

func column(x *pg.ColumnRef) *ir.Expr {
	e := &ir.Expr{Op: ir.Column}
	for _, f := range x.Fields {
		if f.GetAStar() != nil {
			return &ir.Expr{Op: ir.Call}
		}
		e.Names = append(e.Names, f.GetString_().GetSval())
	}
	return e
}

// cast reads x::type. A type with a length, and one that holds less than a name, makes another value of a literal and no column of a column.
func cast(x *pg.TypeCast) *ir.Expr {
	e := expr(x.Arg)
	if x.TypeName == nil {
		return e
	}
	names := strs(x.TypeName.Names)
	last := names[len(names)-1]
	plain := len(x.TypeName.Typmods) == 0
	switch last {
	case "bpchar", "char", "bit", "bool":
		plain = false
	}
	switch {
	case plain:
		return e
	case e.Op != ir.Literal && e.Op != ir.Integer && e.Op != ir.Column && e.Op != ir.True && e.Op != ir.False:
		return e
	}
	return &ir.Expr{Op: ir.Call, Args: []*ir.Expr{e}}
}

func operator(x *pg.A_Expr) *ir.Expr {
	name := ""
	if len(x.Name) > 0 {
		name = x.Name[len(x.Name)-1].GetString_().GetSval()
	}
	l, r := expr(x.Lexpr), expr(x.Rexpr)
	args := []*ir.Expr{l, r}
	switch x.Kind {
	case pg.A_Expr_Kind_AEXPR_OP:
		if name == "=" && l != nil {
			return &ir.Expr{Op: ir.Equal, Args: args}
		}
		if l == nil && (name == "-" || name == "+") && r.Op == ir.Integer {
			return &ir.Expr{Op: ir.Integer, Text: strings.TrimPrefix(name, "+") + r.Text}
		}
		if l != nil && l.Op == ir.Integer && r.Op == ir.Integer {
			return compare(name, l, r)
		}
	case pg.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return &ir.Expr{Op: ir.Equal, Args: args}
	case pg.A_Expr_Kind_AEXPR_OP_ANY:
		if name == "=" {
			return &ir.Expr{Op: ir.Any, Args: args}
		}
	case pg.A_Expr_Kind_AEXPR_IN:
		if name == "=" {
			return &ir.Expr{Op: ir.In, Args: append([]*ir.Expr{l}, r.Args...)}
		}
	case pg.A_Expr_Kind_AEXPR_NULLIF:
		if l.Op == ir.Setting {
			return l
		}
		return &ir.Expr{Op: ir.Call, Args: args}
	}
	return &ir.Expr{Op: ir.Computed, Args: args}
}

func compare(name string, l, r *ir.Expr) *ir.Expr {
	a, _ := strconv.ParseInt(l.Text, 10, 64)
	b, _ := strconv.ParseInt(r.Text, 10, 64)
	truth, ok := map[string]bool{"<>": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[name]
	switch {
	case !ok:
		return &ir.Expr{Op: ir.Computed, Args: []*ir.Expr{l, r}}
	case truth:
		return &ir.Expr{Op: ir.True}
	}
	return &ir.Expr{Op: ir.False}
}

func sublink(x *pg.SubLink) *ir.Expr {
	q := query(x.Subselect.GetSelectStmt())
	switch x.SubLinkType {
	case pg.SubLinkType_ANY_SUBLINK:
		name := "="
		if len(x.OperName) > 0 {
			name = x.OperName[len(x.OperName)-1].GetString_().GetSval()
		}
		if name == "=" {
			return &ir.Expr{Op: ir.In, Args: []*ir.Expr{expr(x.Testexpr)}, Sub: q}
		}
	case pg.SubLinkType_EXPR_SUBLINK:
		return scalar(q)
	}
	return &ir.Expr{Op: ir.Call, Args: []*ir.Expr{expr(x.Testexpr)}, Sub: q}
}

// scalar reads (SELECT …): the form (SELECT current_setting('x')) is that setting.
func scalar(q *ir.Query) *ir.Expr {
	if one := q.Arms[0]; len(q.Arms) == 1 && len(q.With) == 0 && len(one.Items) == 1 && len(one.From) == 0 && one.Where.Op == ir.True && one.Items[0].Expr != nil && one.Items[0].Expr.Op == ir.Setting {
		return one.Items[0].Expr
	}
	return &ir.Expr{Op: ir.Subquery, Sub: q}
}

func call(x *pg.FuncCall) *ir.Expr {
	names := strs(x.Funcname)
	e := &ir.Expr{Op: ir.Call, Args: append(exprs(x.Args), exprs(x.AggOrder)...), Over: x.Over != nil}
	switch names[len(names)-1] {
	case "current_setting":
		if len(e.Args) > 0 && e.Args[0].Op == ir.Literal {
			return &ir.Expr{Op: ir.Setting, Text: strings.ToLower(e.Args[0].Text)}
		}
	case "unnest":
		e.Op = ir.Unnest
	}
	if f := expr(x.AggFilter); f != nil {
		e.Args = append(e.Args, f)
	}
	if x.Over != nil {
		e.Args = append(append(e.Args, exprs(x.Over.PartitionClause)...), exprs(x.Over.OrderClause)...)
	}
	return e
}

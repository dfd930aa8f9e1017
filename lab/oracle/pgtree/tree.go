// Package pgtree reads PostgreSQL's statements with PostgreSQL's own grammar (libpg_query) and gives them in the terms of package ir.
package pgtree

import (
	"fmt"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"tenantrace/lab/oracle/ir"
)

// Statement is a statement, its tree and, if it sets something, what.
type Statement struct {
	Tree *ir.Statement // nil: it is none that reads or changes rows
	Sets []string      // "name=value" of SET
}

// Parse reads a text of any number of statements.
func Parse(sql string) ([]Statement, error) {
	tree, err := pg.Parse(sql)
	if err != nil {
		return nil, err
	}
	var out []Statement
	for _, raw := range tree.Stmts {
		out = append(out, statement(raw.Stmt))
	}
	return out, nil
}

func statement(n *pg.Node) Statement {
	switch x := n.Node.(type) {
	case *pg.Node_VariableSetStmt:
		return Statement{Sets: sets(x.VariableSetStmt)}
	case *pg.Node_CreateTableAsStmt:
		return Statement{Tree: dml(x.CreateTableAsStmt.Query)}
	case *pg.Node_CopyStmt:
		return Statement{Tree: copyOf(x.CopyStmt)}
	}
	return Statement{Tree: dml(n)}
}

func sets(x *pg.VariableSetStmt) []string {
	value := "DEFAULT"
	if x.Kind == pg.VariableSetKind_VAR_SET_VALUE {
		value = "UNKNOWN"
		if len(x.Args) == 1 {
			if e := expr(x.Args[0]); e.Op == ir.Literal || e.Op == ir.Integer {
				value = "'" + e.Text + "'"
			}
		}
	}
	local := ""
	if x.IsLocal {
		local = "local "
	}
	return []string{local + strings.ToLower(x.Name) + "=" + value}
}

func copyOf(x *pg.CopyStmt) *ir.Statement {
	if x.Query != nil {
		return dml(x.Query)
	}
	if x.IsFrom {
		return &ir.Statement{Kind: ir.DeleteKind, Target: table(x.Relation)}
	}
	return &ir.Statement{Kind: ir.SelectKind, Query: &ir.Query{Arms: []*ir.Select{{From: []*ir.From{table(x.Relation)}}}}}
}

// dml reads a statement about rows; nil if it is another.
func dml(n *pg.Node) *ir.Statement {
	switch x := n.GetNode().(type) {
	case *pg.Node_SelectStmt:
		return &ir.Statement{Kind: ir.SelectKind, Query: query(x.SelectStmt)}
	case *pg.Node_InsertStmt:
		return insert(x.InsertStmt)
	case *pg.Node_UpdateStmt:
		u := x.UpdateStmt
		st := &ir.Statement{Kind: ir.UpdateKind, Target: table(u.Relation), Set: assigns(u.TargetList), From: froms(u.FromClause), Where: expr(u.WhereClause), Extra: exprs(u.ReturningList)}
		st.With, st.Recursive = ctes(u.WithClause)
		return st
	case *pg.Node_DeleteStmt:
		d := x.DeleteStmt
		st := &ir.Statement{Kind: ir.DeleteKind, Target: table(d.Relation), From: froms(d.UsingClause), Where: expr(d.WhereClause), Extra: exprs(d.ReturningList)}
		st.With, st.Recursive = ctes(d.WithClause)
		return st
	case *pg.Node_MergeStmt:
		return merge(x.MergeStmt)
	}
	return nil
}

func insert(x *pg.InsertStmt) *ir.Statement {
	st := &ir.Statement{Kind: ir.InsertKind, Target: table(x.Relation), Columns: names(x.Cols), Extra: exprs(x.ReturningList)}
	st.With, st.Recursive = ctes(x.WithClause)
	if x.SelectStmt != nil {
		st.Source = query(x.SelectStmt.GetSelectStmt())
	}
	if c := x.OnConflictClause; c != nil && c.Action == pg.OnConflictAction_ONCONFLICT_UPDATE {
		st.Conflict, st.ConflictSet, st.ConflictWhere = true, assigns(c.TargetList), expr(c.WhereClause)
		if c.Infer != nil {
			for _, e := range c.Infer.IndexElems {
				st.ConflictOn = append(st.ConflictOn, e.GetIndexElem().GetName())
			}
		}
	}
	return st
}

func merge(x *pg.MergeStmt) *ir.Statement {
	st := &ir.Statement{Kind: ir.MergeKind, Target: table(x.Relation), From: froms([]*pg.Node{x.SourceRelation}), Where: expr(x.JoinCondition)}
	st.With, st.Recursive = ctes(x.WithClause)
	for _, n := range x.MergeWhenClauses {
		w := n.GetMergeWhenClause()
		a := ir.Action{When: expr(w.Condition), BySource: w.MatchKind == pg.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_SOURCE}
		switch w.CommandType {
		case pg.CmdType_CMD_INSERT:
			a.Kind, a.Columns, a.Row = ir.InsertKind, names(w.TargetList), exprs(w.Values)
		case pg.CmdType_CMD_UPDATE:
			a.Kind, a.Set = ir.UpdateKind, assigns(w.TargetList)
		case pg.CmdType_CMD_DELETE:
			a.Kind = ir.DeleteKind
		}
		st.Actions = append(st.Actions, a)
	}
	return st
}

func names(list []*pg.Node) (out []string) {
	for _, n := range list {
		out = append(out, n.GetResTarget().GetName())
	}
	return out
}

func assigns(list []*pg.Node) (out []ir.Assign) {
	for _, n := range list {
		t := n.GetResTarget()
		a := ir.Assign{Names: []string{t.Name}}
		if m := t.Val.GetMultiAssignRef(); m != nil {
			src := expr(m.Source)
			switch {
			case src.Op == ir.Row:
				a.Expr = src.Args[m.Colno-1]
			case src.Op == ir.Subquery && m.Colno > 1:
				a.Expr = &ir.Expr{Op: ir.Subquery} // its tables count once
			default:
				a.Expr = src
			}
		} else {
			a.Expr = expr(t.Val)
		}
		out = append(out, a)
	}
	return out
}

func ctes(w *pg.WithClause) ([]ir.CTE, bool) {
	if w == nil {
		return nil, false
	}
	var out []ir.CTE
	for _, n := range w.Ctes {
		c := n.GetCommonTableExpr()
		out = append(out, ir.CTE{Name: c.Ctename, Columns: strs(c.Aliascolnames), Statement: dml(c.Ctequery)})
	}
	return out, w.Recursive
}

func strs(list []*pg.Node) (out []string) {
	for _, n := range list {
		out = append(out, n.GetString_().GetSval())
	}
	return out
}

func query(s *pg.SelectStmt) *ir.Query {
	q := &ir.Query{}
	q.With, q.Recursive = ctes(s.WithClause)
	if s.Op != pg.SetOperation_SETOP_NONE {
		for _, side := range []*pg.SelectStmt{s.Larg, s.Rarg} {
			q.Arms = append(q.Arms, &ir.Select{Nested: query(side)})
		}
		q.Extra = append(exprs(s.SortClause), expr(s.LimitCount), expr(s.LimitOffset))
		return q
	}
	one := &ir.Select{From: froms(s.FromClause), Where: expr(s.WhereClause)}
	for _, n := range s.ValuesLists {
		one.Rows = append(one.Rows, exprs(n.GetList().GetItems()))
	}
	for _, n := range s.TargetList {
		one.Items = append(one.Items, selected(n.GetResTarget()))
	}
	if one.Where == nil {
		one.Where = &ir.Expr{Op: ir.True}
	}
	one.Extra = append(one.Extra, exprs(s.GroupClause)...)
	one.Extra = append(one.Extra, expr(s.HavingClause))
	one.Extra = append(one.Extra, exprs(s.SortClause)...)
	one.Extra = append(one.Extra, expr(s.LimitCount), expr(s.LimitOffset))
	one.Extra = append(one.Extra, exprs(s.DistinctClause)...)
	one.Extra = append(one.Extra, exprs(s.WindowClause)...)
	q.Arms = []*ir.Select{one}
	return q
}

func selected(t *pg.ResTarget) ir.Item {
	if c := t.Val.GetColumnRef(); c != nil {
		last := c.Fields[len(c.Fields)-1]
		if last.GetAStar() != nil {
			if len(c.Fields) > 1 {
				return ir.Item{Star: c.Fields[len(c.Fields)-2].GetString_().GetSval()}
			}
			return ir.Item{Star: "*"}
		}
		if t.Name == "" {
			return ir.Item{Expr: expr(t.Val), Name: last.GetString_().GetSval()}
		}
	}
	return ir.Item{Expr: expr(t.Val), Name: t.Name}
}

func table(r *pg.RangeVar) *ir.From {
	return &ir.From{Table: &ir.Table{Schema: r.Schemaname, Name: r.Relname}, Alias: r.Alias.GetAliasname(), Columns: strs(r.Alias.GetColnames())}
}

func froms(list []*pg.Node) (out []*ir.From) {
	for _, n := range list {
		out = append(out, from(n))
	}
	return out
}

func from(n *pg.Node) *ir.From {
	switch x := n.Node.(type) {
	case *pg.Node_RangeVar:
		return table(x.RangeVar)
	case *pg.Node_RangeSubselect:
		s := x.RangeSubselect
		return &ir.From{Sub: query(s.Subquery.GetSelectStmt()), Lateral: s.Lateral, Alias: s.Alias.GetAliasname(), Columns: strs(s.Alias.GetColnames())}
	case *pg.Node_RangeFunction:
		f := x.RangeFunction
		fn := expr(f.Functions[0].GetList().GetItems()[0])
		for _, o := range f.Functions[1:] {
			fn = &ir.Expr{Op: ir.Call, Args: []*ir.Expr{fn, expr(o.GetList().GetItems()[0])}}
		}
		return &ir.From{Func: fn, Alias: f.Alias.GetAliasname(), Columns: strs(f.Alias.GetColnames())}
	case *pg.Node_RangeTableSample:
		return from(x.RangeTableSample.Relation)
	case *pg.Node_JoinExpr:
		j := x.JoinExpr
		f := &ir.From{Join: true, Left: from(j.Larg), Right: from(j.Rarg), On: expr(j.Quals), Using: strs(j.UsingClause)}
		switch j.Jointype {
		case pg.JoinType_JOIN_LEFT:
			f.Kind = ir.Left
		case pg.JoinType_JOIN_RIGHT:
			f.Kind = ir.Right
		case pg.JoinType_JOIN_FULL:
			f.Kind = ir.Full
		}
		return f
	}
	panic(fmt.Sprintf("no reading for %T in FROM", n.Node))
}

func exprs(list []*pg.Node) (out []*ir.Expr) {
	for _, n := range list {
		out = append(out, expr(n))
	}
	return out
}

func number(x *pg.A_Const) *ir.Expr {
	if i := x.GetIval(); i != nil {
		return &ir.Expr{Op: ir.Integer, Text: strconv.Itoa(int(i.Ival))}
	}
	return nil
}

// Package mytree reads MySQL's statements with the grammar of a MySQL-compatible server (TiDB's parser) and gives them in the terms of package ir.
package mytree

import (
	"fmt"
	"sort"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/mysql"
	driver "github.com/pingcap/tidb/pkg/parser/test_driver"

	"tenantrace/lab/oracle/ir"
)

// Parser reads texts under a sql_mode.
type Parser struct{ parser *parser.Parser }

// New makes a Parser.
func New(ansiQuotes, noBackslashEscapes bool) *Parser {
	p := parser.New()
	var mode mysql.SQLMode
	if ansiQuotes {
		mode |= mysql.ModeANSIQuotes
	}
	if noBackslashEscapes {
		mode |= mysql.ModeNoBackslashEscapes
	}
	p.SetSQLMode(mode)
	return &Parser{p}
}

// Parse reads a text of any number of statements; nil stands for one that neither reads nor changes rows.
func (p *Parser) Parse(sql string) ([]*ir.Statement, error) {
	list, _, err := p.parser.ParseSQL(sql)
	if err != nil {
		return nil, err
	}
	var out []*ir.Statement
	for _, n := range list {
		number(n)
		out = append(out, statement(n))
	}
	return out, nil
}

// number gives the parameters their ordinals, which follow their places in the text.
func number(n ast.Node) {
	c := &collector{}
	n.Accept(c)
	sort.Slice(c.found, func(i, k int) bool { return c.found[i].Offset < c.found[k].Offset })
	for i, m := range c.found {
		m.SetOrder(i)
	}
}

type collector struct{ found []*driver.ParamMarkerExpr }

func (c *collector) Enter(n ast.Node) (ast.Node, bool) {
	if m, ok := n.(*driver.ParamMarkerExpr); ok {
		c.found = append(c.found, m)
	}
	return n, false
}

func (c *collector) Leave(n ast.Node) (ast.Node, bool) { return n, true }

func statement(n ast.Node) *ir.Statement {
	switch x := n.(type) {
	case *ast.SelectStmt, *ast.SetOprStmt:
		return &ir.Statement{Kind: ir.SelectKind, Query: query(x)}
	case *ast.InsertStmt:
		return insert(x)
	case *ast.UpdateStmt:
		st := &ir.Statement{Kind: ir.UpdateKind, From: refs(x.TableRefs), Set: assigns(x.List), Where: condition(x.Where), Extra: tail(x.Order, x.Limit)}
		st.With, st.Recursive = ctes(x.With)
		return st
	case *ast.DeleteStmt:
		st := &ir.Statement{Kind: ir.DeleteKind, From: refs(x.TableRefs), Where: condition(x.Where), Extra: tail(x.Order, x.Limit)}
		st.With, st.Recursive = ctes(x.With)
		if x.Tables != nil {
			for _, t := range x.Tables.Tables {
				st.Targets = append(st.Targets, t.Name.O)
			}
		} else {
			f := st.From[0]
			for f.Join {
				f = f.Left
			}
			st.Targets = []string{f.Table.Name}
			if f.Alias != "" {
				st.Targets[0] = f.Alias
			}
		}
		return st
	case *ast.CreateTableStmt:
		if x.Select != nil {
			return statement(x.Select)
		}
	}
	return nil
}

func insert(x *ast.InsertStmt) *ir.Statement {
	st := &ir.Statement{Kind: ir.InsertKind, Replace: x.IsReplace}
	f := refs(x.Table)[0]
	for f.Join {
		f = f.Left
	}
	st.Target = f
	for _, c := range x.Columns {
		st.Columns = append(st.Columns, c.Name.O)
	}
	switch {
	case x.Select != nil:
		st.Source = query(x.Select)
	case len(x.Lists) > 0:
		one := &ir.Select{}
		for _, row := range x.Lists {
			one.Rows = append(one.Rows, exprs(row))
		}
		st.Source = &ir.Query{Arms: []*ir.Select{one}}
	}
	if len(x.OnDuplicate) > 0 {
		st.Conflict, st.ConflictSet = true, assigns(x.OnDuplicate)
	}
	return st
}

func assigns(list []*ast.Assignment) (out []ir.Assign) {
	for _, a := range list {
		out = append(out, ir.Assign{Names: names(a.Column), Expr: expr(a.Expr)})
	}
	return out
}

func names(c *ast.ColumnName) (out []string) {
	for _, n := range []ast.CIStr{c.Schema, c.Table, c.Name} {
		if n.O != "" {
			out = append(out, n.O)
		}
	}
	return out
}

func condition(x ast.ExprNode) *ir.Expr {
	if x == nil {
		return &ir.Expr{Op: ir.True}
	}
	return expr(x)
}

func tail(order *ast.OrderByClause, limit *ast.Limit) (out []*ir.Expr) {
	if order != nil {
		for _, i := range order.Items {
			out = append(out, expr(i.Expr))
		}
	}
	if limit != nil {
		out = append(out, expr(limit.Count), expr(limit.Offset))
	}
	return out
}

func ctes(w *ast.WithClause) ([]ir.CTE, bool) {
	if w == nil {
		return nil, false
	}
	var out []ir.CTE
	for _, c := range w.CTEs {
		one := ir.CTE{Name: c.Name.O, Statement: &ir.Statement{Kind: ir.SelectKind, Query: query(c.Query.Query)}}
		for _, n := range c.ColNameList {
			one.Columns = append(one.Columns, n.O)
		}
		out = append(out, one)
	}
	return out, w.IsRecursive
}

// query reads what gives rows.
func query(n ast.Node) *ir.Query {
	switch x := n.(type) {
	case *ast.SubqueryExpr:
		return query(x.Query)
	case *ast.SetOprStmt:
		q := setOperation(x.SelectList)
		if x.With != nil {
			q.With, q.Recursive = ctes(x.With)
		}
		q.Extra = append(q.Extra, tail(x.OrderBy, x.Limit)...)
		return q
	case *ast.SetOprSelectList:
		return setOperation(x)
	case *ast.SelectStmt:
		q := &ir.Query{Arms: []*ir.Select{selection(x)}}
		q.With, q.Recursive = ctes(x.With)
		return q
	}
	panic(fmt.Sprintf("no reading for %T as a query", n))
}

func setOperation(x *ast.SetOprSelectList) *ir.Query {
	q := &ir.Query{Extra: tail(x.OrderBy, x.Limit)}
	q.With, q.Recursive = ctes(x.With)
	for _, s := range x.Selects {
		q.Arms = append(q.Arms, &ir.Select{Nested: query(s)})
	}
	return q
}

func selection(x *ast.SelectStmt) *ir.Select {
	s := &ir.Select{From: refs(x.From), Where: condition(x.Where), Extra: tail(x.OrderBy, x.Limit)}
	switch x.Kind {
	case ast.SelectStmtKindTable:
		s.Items = []ir.Item{{Star: "*"}}
	case ast.SelectStmtKindValues:
		for _, r := range x.Lists {
			s.Rows = append(s.Rows, exprs(r.Values))
		}
	}
	if x.Fields != nil && x.Kind == ast.SelectStmtKindSelect {
		for _, f := range x.Fields.Fields {
			s.Items = append(s.Items, field(f))
		}
	}
	if x.GroupBy != nil {
		for _, i := range x.GroupBy.Items {
			s.Extra = append(s.Extra, expr(i.Expr))
		}
	}
	if x.Having != nil {
		s.Extra = append(s.Extra, expr(x.Having.Expr))
	}
	return s
}

func field(f *ast.SelectField) ir.Item {
	if f.WildCard != nil {
		if f.WildCard.Table.O != "" {
			return ir.Item{Star: f.WildCard.Table.O}
		}
		return ir.Item{Star: "*"}
	}
	i := ir.Item{Expr: expr(f.Expr), Name: f.AsName.O}
	if c, ok := f.Expr.(*ast.ColumnNameExpr); ok && i.Name == "" {
		i.Name = c.Name.Name.O
	}
	return i
}

func refs(t *ast.TableRefsClause) []*ir.From {
	if t == nil || t.TableRefs == nil {
		return nil
	}
	return []*ir.From{from(t.TableRefs)}
}

func from(n ast.ResultSetNode) *ir.From {
	switch x := n.(type) {
	case *ast.TableSource:
		return source(x)
	case *ast.TableName:
		return &ir.From{Table: &ir.Table{Schema: x.Schema.O, Name: x.Name.O}}
	case *ast.Join:
		if x.Right == nil {
			return from(x.Left)
		}
		f := &ir.From{Join: true, Left: from(x.Left), Right: from(x.Right)}
		if x.On != nil {
			f.On = expr(x.On.Expr)
		}
		for _, c := range x.Using {
			f.Using = append(f.Using, c.Name.O)
		}
		switch x.Tp {
		case ast.LeftJoin:
			f.Kind = ir.Left
		case ast.RightJoin:
			f.Kind = ir.Right
		}
		return f
	}
	panic(fmt.Sprintf("no reading for %T in FROM", n))
}

func source(x *ast.TableSource) *ir.From {
	if t, ok := x.Source.(*ast.TableName); ok {
		return &ir.From{Table: &ir.Table{Schema: t.Schema.O, Name: t.Name.O}, Alias: x.AsName.O}
	}
	if j, ok := x.Source.(*ast.Join); ok {
		return from(j)
	}
	f := &ir.From{Sub: query(x.Source), Lateral: x.Lateral, Alias: x.AsName.O}
	for _, c := range x.ColumnNames {
		f.Columns = append(f.Columns, c.O)
	}
	return f
}

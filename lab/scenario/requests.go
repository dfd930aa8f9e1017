package scenario

import (
	"fmt"

	"tenantrace/lab/stage"
)

// get is a clean request that acme makes for its own rows.
func get(target string) Call {
	return Call{As: "acme", Method: "GET", Target: target, Status: 200, Rows: []string{"acme"}}
}

func (c Call) as(who string) Call {
	c.As = who
	return c
}

func (c Call) header(name, value string) Call {
	c.Header = map[string]string{name: value}
	return c
}

func (c Call) post(body string) Call {
	c.Method, c.Body = "POST", body
	return c
}

// answers sets the status, and that there are no rows.
func (c Call) answers(status int) Call {
	c.Status, c.Rows = status, nil
	return c
}

// rows sets whose rows the answer holds.
func (c Call) rows(tenants ...string) Call {
	c.Rows = tenants
	return c
}

func (c Call) fault() Call {
	c.Fault = true
	return c
}

func (c Call) fresh() Call {
	c.Fresh = true
	return c
}

func (c Call) after(w Wait) Call {
	c.Wait = w
	return c
}

// one makes the round of a scenario whose calls come one after the other.
func one(calls ...Call) func(string) []Step {
	return func(string) []Step { return inOrder(calls...) }
}

func inOrder(calls ...Call) []Step {
	steps := make([]Step, len(calls))
	for i, c := range calls {
		steps[i] = Step{c}
	}
	return steps
}

// everybody is each of the tenants with the same request for its own rows.
func everybody(target string, status int, rows bool) Step {
	var s Step
	for _, tenant := range stage.Tenants {
		c := get(target).as(tenant).answers(status)
		if rows {
			c = c.rows(tenant)
		}
		s = append(s, c)
	}
	return s
}

func invoice(tenant, number string) string {
	return fmt.Sprintf(`{"tenant": %q, "number": %q}`, tenant, number)
}

// pair labels two requests that interleave: the first writes, the second writes, then both go on.
func pair(tag string, first, second Call) Step {
	return Step{first.header("X-Pair", tag+":first"), second.header("X-Pair", tag+":second")}
}

func (c Call) shared() Call {
	c.Shared = true
	return c
}

func (c Call) raises(names ...string) Call {
	c.Raises = names
	return c
}

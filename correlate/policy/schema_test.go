package policy

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	tokens "go/token"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const schemaFile = "../../deploy/policies/policy.schema.json"

// schemaSections are the key tables of the decoder, by the definition of the schema that stands for each; "" is the schema itself.
func schemaSections() map[string][]struct {
	table string
	keys  keys
} {
	type entry = struct {
		table string
		keys  keys
	}
	return map[string][]entry{
		"":                {{"policyKeys", policyKeys}},
		"identity":        {{"identityKeys", identityKeys}},
		"rule":            {{"ruleKeys", ruleKeys}},
		"proxy":           {{"proxyKeys", proxyKeys}},
		"privilege":       {{"privilegeKeys", privilegeKeys}},
		"map":             {{"mapKeys", mapKeys}},
		"hierarchy":       {{"hierarchyKeys", hierarchyKeys}},
		"hop_headers":     {{"hopHeaderKeys", hopHeaderKeys}},
		"request":         {{"requestKeys", requestKeys}},
		"request_rule":    {{"requestRuleKeys", requestRuleKeys}},
		"database":        {{"databaseKeys", databaseKeys}},
		"match":           {{"matchKeys", matchKeys}},
		"database_tenant": {{"databaseTenantKeys", databaseTenantKeys}},
		"places":          {{"placeKeys", placeKeys}},
		"tables":          {{"tableKeys", tableKeys}},
		"directory":       {{"directoryKeys", directoryKeys}},
		"exemption":       {{"exemptKeys", exemptKeys}},
		"select":          {{"selectKeys", selectKeys}},
		"k8s":             {{"k8sKeys", k8sKeys}},
		"service":         {{"serviceKeys", serviceKeys}},
		"certificates":    {{"certificateKeys", certificateKeys}},
		"revocation":      {{"revocationKeys", revocationKeys}},
		"verdict":         {{"verdictKeys", verdictKeys}},
		"evidence":        {{"evidenceKeys", evidenceKeys}},
		"privacy":         {{"privacyKeys", privacyKeys}},
	}
}

// schema is a JSON Schema, of which it knows the keywords that the policy's uses.
type schema struct {
	root map[string]any
}

func loadSchema(t testing.TB) *schema {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	s := &schema{}
	if err := json.Unmarshal(data, &s.root); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *schema) definition(name string) map[string]any {
	if name == "" {
		return s.root
	}
	defs, _ := s.root["$defs"].(map[string]any)
	def, _ := defs[name].(map[string]any)
	return def
}

// check returns what is wrong with a value, "" if it is valid.
func (s *schema) check(rule map[string]any, value any, at string) string {
	for keyword, want := range rule {
		if wrong := s.keyword(rule, keyword, want, value, at); wrong != "" {
			return wrong
		}
	}
	return ""
}

func (s *schema) keyword(rule map[string]any, keyword string, want, value any, at string) string {
	object, isObject := value.(map[string]any)
	list, isList := value.([]any)
	text, isText := value.(string)
	number, isNumber := value.(float64)
	fail := func(format string, args ...any) string { return at + ": " + fmt.Sprintf(format, args...) }
	switch keyword {
	case "$schema", "$defs", "title", "description":
	case "$ref":
		return s.check(s.definition(strings.TrimPrefix(want.(string), "#/$defs/")), value, at)
	case "type":
		kinds, ok := want.([]any)
		if !ok {
			kinds = []any{want}
		}
		for _, k := range kinds {
			_, isBool := value.(bool)
			if k == "object" && isObject || k == "array" && isList || k == "string" && isText || k == "number" && isNumber || k == "boolean" && isBool ||
				k == "null" && value == nil || k == "integer" && isNumber && number == math.Trunc(number) {
				return ""
			}
		}
		return fail("%v is no %v", value, want)
	case "enum":
		if !slices.ContainsFunc(want.([]any), func(v any) bool { return reflect.DeepEqual(v, value) }) {
			return fail("%v is none of %v", value, want)
		}
	case "required":
		for _, name := range want.([]any) {
			if _, ok := object[name.(string)]; isObject && !ok {
				return fail("no %v", name)
			}
		}
	case "properties":
		for name, rule := range want.(map[string]any) {
			if v, ok := object[name]; ok {
				if wrong := s.check(rule.(map[string]any), v, at+"."+name); wrong != "" {
					return wrong
				}
			}
		}
	case "additionalProperties":
		known, _ := rule["properties"].(map[string]any)
		for name, v := range object {
			if _, ok := known[name]; ok {
				continue
			}
			if want == false {
				return fail("unknown key %q", name)
			}
			if wrong := s.check(want.(map[string]any), v, at+"."+name); wrong != "" {
				return wrong
			}
		}
	case "items":
		for i, v := range list {
			if wrong := s.check(want.(map[string]any), v, index(at, i)); wrong != "" {
				return wrong
			}
		}
	case "anyOf":
		var all []string
		for _, rule := range want.([]any) {
			wrong := s.check(rule.(map[string]any), value, at)
			if wrong == "" {
				return ""
			}
			all = append(all, wrong)
		}
		return fail("none of (%s)", strings.Join(all, "; "))
	case "not":
		if s.check(want.(map[string]any), value, at) == "" {
			return fail("%v is what must not be", value)
		}
	case "pattern":
		if !regexp.MustCompile(want.(string)).MatchString(text) && isText {
			return fail("%q does not match %v", text, want)
		} else if !isText && rule["type"] == nil {
			return fail("%v is no text", value)
		}
	case "minProperties", "maxProperties", "minItems", "maxItems", "minimum", "maximum":
		n, counted := number, isNumber
		if strings.HasSuffix(keyword, "Properties") {
			n, counted = float64(len(object)), isObject
		} else if strings.HasSuffix(keyword, "Items") {
			n, counted = float64(len(list)), isList
		}
		if limit := want.(float64); counted && (n < limit && keyword[:3] == "min" || n > limit && keyword[:3] == "max") {
			return fail("%s %v", keyword, want)
		}
	default:
		return fail("the test does not know the keyword %q", keyword)
	}
	return ""
}

// plainValue turns a YAML node into what JSON would be: an editor's YAML server does the same. Dates stay text.
func plainValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return plainValue(n.Content[0])
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plainValue(n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, plainValue(c))
		}
		return out
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		var f float64
		if n.Decode(&f) == nil {
			return f
		}
	}
	return n.Value
}

// schemaFault returns what the schema says is wrong with the text of a policy, "" if nothing.
func (s *schema) fault(t testing.TB, text string) string {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		return err.Error()
	}
	return s.check(s.root, plainValue(&node), "policy")
}

// TestSchemaKeys holds that the schema and the decoder know the same keys in the same sections.
func TestSchemaKeys(t *testing.T) {
	s := loadSchema(t)
	tables := map[string]bool{}
	for name, all := range schemaSections() {
		def := s.definition(name)
		if def == nil {
			t.Errorf("the schema has no definition %q", name)
			continue
		}
		if def["additionalProperties"] != false {
			t.Errorf("%q allows unknown keys", name)
		}
		properties, _ := def["properties"].(map[string]any)
		for _, e := range all {
			tables[e.table] = true
			for _, key := range e.keys.known {
				if properties[key] == nil {
					t.Errorf("the schema does not know %q in %q, the decoder does", key, name)
				}
			}
			for key := range properties {
				if !slices.Contains(e.keys.known, key) {
					t.Errorf("the schema knows %q in %q, the decoder does not", key, name)
				}
			}
		}
	}
	for name := range s.root["$defs"].(map[string]any) {
		def := s.definition(name)
		if _, has := def["properties"]; has && schemaSections()[name] == nil {
			t.Errorf("no section of the decoder stands for the schema's %q", name)
		}
	}
	// A key table that is in no section here would never be compared.
	for _, table := range keyTables(t) {
		if !tables[table] {
			t.Errorf("%s is compared with no part of the schema", table)
		}
	}
}

// keyTables are the names of the package's variables of type keys.
func keyTables(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(tokens.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for i, value := range v.Values {
					if lit, ok := value.(*ast.CompositeLit); ok {
						if kind, ok := lit.Type.(*ast.Ident); ok && kind.Name == "keys" {
							names = append(names, v.Names[i].Name)
						}
					}
				}
			}
		}
	}
	if len(names) < 20 {
		t.Fatalf("found %d key tables: the search is broken", len(names))
	}
	return names
}

// TestSchemaValues holds that every example and the embedded policy are valid, and that the schema refuses what it can see to be wrong.
func TestSchemaValues(t *testing.T) {
	s := loadSchema(t)
	files, err := filepath.Glob("../../deploy/policies/*.yaml")
	if err != nil || len(files) < 23 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, f := range append(files, "default.yaml") {
		if filepath.Base(f) == "groups.yaml" {
			continue
		}
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := s.fault(t, string(data)); wrong != "" {
			t.Errorf("%s: %s", f, wrong)
		}
	}
	for _, text := range []string{
		"service: x", "version: 2", "version: 1\nidentity: []", "version: 1\ndatabase: { engine: postgres }", "version: 1\ndatabase: [{ match: { port: 5432 } }]",
		"version: 1\ndatabase: [{ engine: postgres, match: { port: 70000 } }]", "version: 1\ndatabase: [{ engine: postgres, match: { port: 1.5 } }]",
		"version: 1\nexempt: [{ route: /a, why: x }]", "version: 1\nexempt: [{ route: a, until: 2027-01-01, why: x }]", "version: 1\nexempt: [{ route: /a, until: soon, why: x }]",
		"version: 1\nservices: []", "version: 1\nservices: [{ service: x }]", "version: 1\nverdict: { links: guess }", "version: 1\ncertificates: { grace: 5 }",
		"version: 1\nidentity: { tenant: [] }", "version: 1\nidentity: { from: nowhere }", "version: 1\nrequest: { tenant: [{ path: /t, header: X }] }",
		"version: 1\ndatabase: [{ engine: postgres, tenant: { key_prefix: { id: x } } }]", "version: 1\ndatabase: [{ engine: postgres, tenant: { schemas: { tenan: x } } }]",
	} {
		if s.fault(t, text) == "" {
			t.Errorf("the schema accepts\n%s", text)
		}
	}
}

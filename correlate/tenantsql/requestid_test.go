package tenantsql

import (
	"strings"
	"testing"
)

func TestRequestID(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT 1 /*application:Shop,request_id:3f2a-77c0-11,controller:x*/": "3f2a-77c0-11",
		"/*request_id='3f2a77c011'*/ SELECT 1":                               "3f2a77c011",
		"SELECT 1 /* request_id: 3f2a77c011 */ ;":                            "3f2a77c011",
		"/*request_id:3f2a77c011*/ SELECT 1 /*request_id:3f2a77c011*/":       "3f2a77c011",
		"/*request_id:3f2a77c011*/ SELECT 1 /*request_id:3f2a77c012*/":       "",
		"SELECT 1 /*request_id:3f2a77c011,request_id:3f2a77c012*/":           "",
		"SELECT '/*request_id:3f2a77c011*/'":                                 "",
		"SELECT '/*request_id:3f2a77c011' /*request_id:3f2a77c012*/":         "3f2a77c012",
		"SELECT 1 /*request_id:short*/":                                      "",
		"SELECT 1 /*request_id:%27drop%27table*/":                            "",
		"SELECT 1 /*my_request_id:3f2a77c011*/":                              "",
		"SELECT 1 /*request_ids:3f2a77c011*/":                                "",
		"SELECT 1 /*traceparent='00-3f2a77c0113f2a77c0113f2a77c011aa-01'*/":  "",
		"SELECT request_id FROM x":                                           "",
		"SELECT 1 -- request_id:3f2a77c011":                                  "",
		"/*request_id:" + strings.Repeat("a", 129) + "*/ SELECT 1":           "",
		"/*request_id:3f2a77c011":                                            "",
		"":                                                                   "",
	} {
		if got := RequestID(sql); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

func FuzzRequestID(f *testing.F) {
	f.Add("SELECT 1 /*application:Shop,request_id:3f2a-77c0-11*/")
	f.Add("/*request_id='3f2a77c011'*/ SELECT 1 /*request_id='3f2a77c011'*/;")
	f.Fuzz(func(t *testing.T, sql string) {
		id := RequestID(sql)
		if id == "" {
			return
		}
		if !plainID(id) || !strings.Contains(sql, id) || !strings.Contains(sql, "*/") {
			t.Errorf("%q of %q", id, sql)
		}
	})
}

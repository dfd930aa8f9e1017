package accuracy

import (
	"os"
	"testing"
)

func TestStep(t *testing.T) {
	from := write(t, "recording", head+`{"k":"tick","e":{"time":1}}
{"k":"tick","e":{"time":2,"x":{"time":2}}}
{"k":"http_request","e":{"time":3,"tid":6}}
`)
	if err := step(from, from+".stepped"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(from + ".stepped")
	if err != nil {
		t.Fatal(err)
	}
	want := head + `{"k":"tick","e":{"time":1}}
{"k":"tick","e":{"time":3600000000002,"x":{"time":2}}}
{"k":"http_request","e":{"time":3600000000003,"tid":6}}
`
	if string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	if bad := write(t, "bad", head+"{}\n{}\n{}\n"); step(bad, bad+".stepped") == nil {
		t.Error("no error for events without time")
	}
}

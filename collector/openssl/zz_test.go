package openssl
import ("testing";"bytes";"debug/elf";"time")
func TestWorst(t *testing.T){
 names := append(append([]string{}, sslNames...), cryptoNames...)
 code := map[string][]byte{}
 for _, n := range names { code[n]=bytes.Repeat([]byte{0x50,0x74, 0x01, 0x90}, 255) }
 d:=tinyELF(elf.EM_X86_64,names,code)
 s:=time.Now(); Open(bytes.NewReader(d),nil); t.Log(time.Since(s))
 s=time.Now(); Open(bytes.NewReader(seeds(t)[0]),nil); t.Log(time.Since(s))
 s=time.Now(); Exports(bytes.NewReader(seeds(t)[0])); t.Log(time.Since(s))
}

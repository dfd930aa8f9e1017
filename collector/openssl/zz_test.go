package openssl
import ("testing";"os";"path/filepath";"fmt")
func TestFake(t *testing.T){
 ms,_:=filepath.Glob("/tmp/ossl/fake/*.so")
 for _,p:=range ms {
  f,_:=os.Open(p)
  l,err:=Open(f,nil)
  if err!=nil {fmt.Println(p,err);continue}
  fmt.Println(filepath.Base(p),l)
 }
}

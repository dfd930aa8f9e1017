package ocsf

// event is a Detection Finding. Times are milliseconds since the Unix epoch (OCSF's timestamp_t).
type event struct {
	ActivityID   int         `json:"activity_id"`
	ActivityName string      `json:"activity_name"`
	CategoryUID  int         `json:"category_uid"`
	CategoryName string      `json:"category_name"`
	ClassUID     int         `json:"class_uid"`
	ClassName    string      `json:"class_name"`
	TypeUID      int         `json:"type_uid"`
	TypeName     string      `json:"type_name"`
	Time         int64       `json:"time"`
	StartTime    int64       `json:"start_time"`
	EndTime      int64       `json:"end_time"`
	Count        uint64      `json:"count"`
	Message      string      `json:"message,omitempty"`
	SeverityID   int         `json:"severity_id"`
	Severity     string      `json:"severity"`
	ConfidenceID int         `json:"confidence_id"`
	Confidence   string      `json:"confidence"`
	StatusID     int         `json:"status_id"`
	Status       string      `json:"status"`
	IsAlert      bool        `json:"is_alert"`
	FindingInfo  findingInfo `json:"finding_info"`
	Metadata     metadata    `json:"metadata"`
	Evidences    []evidence  `json:"evidences"`
	Unmapped     unmapped    `json:"unmapped"`
}

type findingInfo struct {
	UID       string   `json:"uid"`
	Title     string   `json:"title"`
	Desc      string   `json:"desc,omitempty"`
	Types     []string `json:"types,omitempty"`
	Analytic  analytic `json:"analytic"`
	Created   int64    `json:"created_time"`
	Modified  int64    `json:"modified_time,omitempty"`
	FirstSeen int64    `json:"first_seen_time"`
	LastSeen  int64    `json:"last_seen_time"`
}

type analytic struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type metadata struct {
	Version string  `json:"version"`
	Product product `json:"product"`
}

type product struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
	Version    string `json:"version"`
}

type evidence struct {
	TLS          *tls          `json:"tls,omitempty"`
	HTTPRequest  *httpRequest  `json:"http_request,omitempty"`
	HTTPResponse *httpResponse `json:"http_response,omitempty"`
	Database     *database     `json:"database,omitempty"`
	Process      process       `json:"process"`
	SrcEndpoint  *endpoint     `json:"src_endpoint,omitempty"`
	DstEndpoint  *endpoint     `json:"dst_endpoint,omitempty"`
	Data         *data         `json:"data,omitempty"`
}

type tls struct {
	Version     string       `json:"version"`
	Certificate *certificate `json:"certificate,omitempty"`
}

type certificate struct {
	Subject        string        `json:"subject,omitempty"`
	Issuer         string        `json:"issuer"`
	SANs           []san         `json:"sans,omitempty"`
	SerialNumber   string        `json:"serial_number"`
	Fingerprints   []fingerprint `json:"fingerprints"`
	CreatedTime    int64         `json:"created_time,omitempty"`
	ExpirationTime int64         `json:"expiration_time,omitempty"`
}

type san struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type fingerprint struct {
	AlgorithmID int    `json:"algorithm_id"`
	Algorithm   string `json:"algorithm"`
	Value       string `json:"value"`
}

type httpRequest struct {
	UID    string `json:"uid,omitempty"`
	Method string `json:"http_method"`
	URL    url    `json:"url"`
}

type url struct {
	Path string `json:"path"`
}

type httpResponse struct {
	Code int `json:"code"`
}

type database struct {
	Name   string `json:"name,omitempty"`
	UID    string `json:"uid,omitempty"` // address of the server
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
}

type process struct {
	Name string `json:"name,omitempty"`
	PID  uint32 `json:"pid"`
	TID  uint32 `json:"tid,omitempty"`
}

type endpoint struct {
	IP      string `json:"ip,omitempty"`
	Name    string `json:"name,omitempty"` // path of a unix socket
	Port    int    `json:"port,omitempty"`
	SvcName string `json:"svc_name,omitempty"`
}

// data is OCSF's free evidence object: what none of the evidence's own objects takes.
type data struct {
	QueryShape       string `json:"query_shape"`
	QueryFingerprint string `json:"query_fingerprint"`
}

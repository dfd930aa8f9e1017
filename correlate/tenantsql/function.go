package tenantsql

import "strings"

// longestFunction is the length of the longest name in harmless.
const longestFunction = 26

// called takes note of the call of the function named at i. One that is not known may set anything in the session: applications wrap set_config() in
// functions of their own (SELECT enter_tenant('x')).
func (s *skimmer) called(i int) {
	if i > 0 && (s.op(i-1, opCast) || s.word(i-1, kwAs)) {
		return // a type with a length, or a definition of columns
	}
	t := s.toks[i]
	text := s.sql[t.start:t.end]
	if t.kind == tQuoted {
		text = s.text(i)
	}
	if i > 1 && s.op(i-1, opDot) && !s.is(i-2, "pg_catalog") || !known(text) {
		s.st.Calls = true
	}
}

// families are what the names of functions begin with that come with the server or with an extension of wide use.
const families = " pg_ json array_ regexp_ string_ date_ ts_ tsvector_ st_ _st_ uuid_ has_ txid_ xml lo_ regr_ daterange tsrange tstzrange nummultirange numrange pgp_ "

// known tells whether a function comes with the server or with an extension of wide use, and leaves the session's settings alone.
func known(function string) bool {
	if len(function) > longestFunction {
		function = function[:longestFunction]
	}
	var room [longestFunction]byte
	low := room[:len(function)]
	for i := range low {
		low[i] = lower(function[i])
	}
	if harmless(string(low)) {
		return true
	}
	for family := range strings.FieldsSeq(families) {
		if len(low) > len(family) && string(low[:len(family)]) == family {
			return true
		}
	}
	return false
}

func harmless(name string) bool {
	switch name {
	case
		"abs", "acos", "acosh", "adddate", "addtime", "aes_decrypt", "aes_encrypt", "age", "any_value", "armor", "array_agg", "ascii", "asin", "asinh",
		"atan", "atan2", "atan2d", "atanh", "avg", "benchmark", "bigint", "bin", "bin_to_uuid", "binary", "bit", "bit_and", "bit_count", "bit_length",
		"bit_or", "bit_xor", "bool_and", "bool_or", "box", "bpchar", "broadcast", "btrim", "by", "cast", "cbrt", "ceil", "ceiling", "center", "char",
		"char_length", "character", "character_length", "charset", "chr", "circle", "clock_timestamp", "coercibility", "col_description", "collation",
		"compress", "concat", "concat_ws", "connection_id", "conv", "convert", "convert_from", "convert_to", "convert_tz", "corr", "cos", "cosd", "cosh",
		"cot", "count", "covar_pop", "covar_samp", "crc32", "crc32c", "crypt", "cume_dist", "curdate", "current_catalog", "current_database",
		"current_date", "current_query", "current_role", "current_schema", "current_schemas", "current_setting", "current_time", "current_timestamp",
		"current_user", "currval", "curtime", "database", "date", "datediff", "day", "dayname", "dayofmonth", "dayofweek", "dayofyear", "dearmor", "dec",
		"decimal", "decode", "decode_oracle", "degrees", "dense_rank", "des_decrypt", "des_encrypt", "diagonal", "diameter", "digest", "div",
		"double_precision", "else", "elt", "encode", "encrypt", "enum_first", "enum_last", "enum_range", "erf", "escape", "every", "exp", "export_set",
		"extract", "extractvalue", "factorial", "family", "field", "filter", "find_in_set", "first_value", "float", "float4", "float8", "floor", "format",
		"format_bytes", "format_type", "found_rows", "from_base64", "from_days", "from_unixtime", "gcd", "gen_random_bytes", "gen_random_uuid", "gen_salt",
		"generate_series", "generate_subscripts", "get_bit", "get_byte", "get_current_ts_config", "get_format", "get_lock", "greatest", "group_concat",
		"grouping", "hashtext", "hashtextextended", "height", "hex", "hmac", "host", "hostmask", "hour", "if", "ifnull", "ilike", "inet6_aton",
		"inet6_ntoa", "inet_aton", "inet_client_addr", "inet_client_port", "inet_ntoa", "inet_server_addr", "inet_server_port", "initcap", "insert",
		"instr", "int", "int2", "int4", "int4multirange", "int4range", "int8", "int8multirange", "int8range", "integer", "intersection", "interval",
		"is_free_lock", "is_ipv4", "is_ipv6", "is_used_lock", "is_uuid", "isempty", "isfinite", "isnull", "json_table", "justify_days", "justify_hours",
		"justify_interval", "lag", "last_day", "last_insert_id", "last_value", "lastval", "lcase", "lcm", "lead", "least", "left", "length", "like", "line",
		"linestring", "ln", "load_file", "localtime", "localtimestamp", "locate", "log", "log10", "log2", "lower", "lower_inc", "lower_inf", "lpad", "lseg",
		"ltrim", "make_date", "make_interval", "make_set", "make_time", "make_timestamp", "make_timestamptz", "makeaclitem", "makedate", "maketime",
		"masklen", "master_pos_wait", "match", "max", "mbrcontains", "mbrwithin", "md5", "median", "microsecond", "mid", "min", "minute", "mod", "mode",
		"month", "monthname", "name_const", "natural_sort_key", "nchar", "netmask", "network", "nextval", "normalize", "now", "nth_value", "ntile",
		"numeric", "numnode", "nvl", "nvl2", "obj_description", "oct", "octet_length", "old_password", "only", "ord", "overlay", "parse_ident", "password",
		"path", "percent_rank", "percentile_cont", "percentile_disc", "period_add", "period_diff", "phraseto_tsquery", "pi", "plainto_tsquery", "point",
		"polygon", "popen", "position", "pow", "power", "quarter", "query_to_xml", "quote", "quote_ident", "quote_literal", "quote_nullable", "radians",
		"radius", "rand", "random", "random_bytes", "range_agg", "range_merge", "rank", "real", "regexp", "release_all_locks", "release_lock", "repeat",
		"replace", "reverse", "right", "rlike", "round", "row_count", "row_number", "row_to_json", "rpad", "rtrim", "scale", "schema", "sec_to_time",
		"second", "session_user", "set_bit", "set_byte", "set_masklen", "setseed", "setval", "setweight", "sformat", "sha", "sha1", "sha2", "sha224",
		"sha256", "sha384", "sha512", "shobj_description", "sign", "similar", "similarity", "sin", "sind", "sinh", "sleep", "slope", "smallint", "soundex",
		"space", "split_part", "sqrt", "starts_with", "statement_timestamp", "std", "stddev", "stddev_pop", "stddev_samp", "str_to_date", "strcmp",
		"strict_word_similarity", "strip", "strpos", "subdate", "substr", "substring", "substring_index", "subtime", "sum", "sys_guid", "sysdate",
		"system_user", "tan", "tand", "tanh", "text", "time", "time_format", "time_to_sec", "timediff", "timeofday", "timestamp", "timestampadd",
		"timestampdiff", "timestamptz", "timezone", "to", "to_ascii", "to_base64", "to_bin", "to_char", "to_date", "to_days", "to_hex", "to_json",
		"to_jsonb", "to_number", "to_oct", "to_regclass", "to_regnamespace", "to_regproc", "to_regrole", "to_regtype", "to_seconds", "to_timestamp",
		"to_tsquery", "to_tsvector", "transaction_timestamp", "translate", "trim", "trim_array", "trim_scale", "trunc", "truncate", "ucase", "unaccent",
		"uncompress", "uncompressed_length", "unhex", "unicode_assigned", "unix_timestamp", "unnest", "updatexml", "upper", "upper_inc", "upper_inf",
		"user", "utc_date", "utc_time", "utc_timestamp", "uuid", "uuid_short", "uuid_to_bin", "uuidv4", "uuidv7", "validate_password_strength", "values",
		"var_pop", "var_samp", "varchar", "variance", "version", "websearch_to_tsquery", "weekday", "weekofyear", "weight_string", "width", "width_bucket",
		"within", "word_similarity", "year", "yearweek", "zone":
		return true
	}
	return false
}

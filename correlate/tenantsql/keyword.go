package tenantsql

// keyword is a word that the skimmer knows; 0 for every other word.
type keyword uint8

const (
	_ keyword = iota
	kwAbort
	kwAll
	kwAnalyse
	kwAnalyze
	kwAnd
	kwAny
	kwArray
	kwAs
	kwAuthorization
	kwBegin
	kwBetween
	kwCase
	kwCast
	kwCoalesce
	kwCollate
	kwCommit
	kwConflict
	kwCopy
	kwCreate
	kwCross
	kwData
	kwDeallocate
	kwDeclare
	kwDefault
	kwDelete
	kwDesc
	kwDescribe
	kwDiscard
	kwDistinct
	kwEnd
	kwExcept
	kwExecute
	kwExists
	kwExplain
	kwFalse
	kwFetch
	kwFor
	kwForce
	kwFrom
	kwFull
	kwGroup
	kwHaving
	kwIgnore
	kwIn
	kwInner
	kwInsert
	kwIntersect
	kwInto
	kwIs
	kwJoin
	kwLateral
	kwLeft
	kwLimit
	kwLocal
	kwLock
	kwMaterialized
	kwMerge
	kwNatural
	kwNo
	kwNone
	kwNot
	kwNull
	kwNullif
	kwOffset
	kwOn
	kwOnly
	kwOr
	kwOrder
	kwOuter
	kwOver
	kwOverriding
	kwPartition
	kwPrepare
	kwPrepared
	kwProcedure
	kwRecursive
	kwRefresh
	kwRelease
	kwReplace
	kwReset
	kwReturning
	kwRight
	kwRole
	kwRollback
	kwRow
	kwRows
	kwSavepoint
	kwSelect
	kwSession
	kwSet
	kwShow
	kwSome
	kwSource
	kwStart
	kwStraightJoin
	kwTable
	kwTablesample
	kwTemp
	kwTemporary
	kwThen
	kwTo
	kwTransaction
	kwTrue
	kwTruncate
	kwUnion
	kwUnlogged
	kwUpdate
	kwUse
	kwUsing
	kwValue
	kwValues
	kwWhen
	kwWhere
	kwWindow
	kwWith
	kwWork
	kwXor
)

// longestKeyword is the length of straight_join.
const longestKeyword = 13

// lookup finds a keyword without regard to case.
func lookup(word string) keyword {
	if len(word) < 2 || len(word) > longestKeyword {
		return 0
	}
	var low [longestKeyword]byte
	for i := range len(word) {
		low[i] = lower(word[i])
	}
	switch string(low[:len(word)]) {
	case "abort":
		return kwAbort
	case "all":
		return kwAll
	case "analyse":
		return kwAnalyse
	case "analyze":
		return kwAnalyze
	case "and":
		return kwAnd
	case "any":
		return kwAny
	case "array":
		return kwArray
	case "as":
		return kwAs
	case "authorization":
		return kwAuthorization
	case "begin":
		return kwBegin
	case "between":
		return kwBetween
	case "case":
		return kwCase
	case "cast":
		return kwCast
	case "coalesce":
		return kwCoalesce
	case "collate":
		return kwCollate
	case "commit":
		return kwCommit
	case "conflict":
		return kwConflict
	case "copy":
		return kwCopy
	case "create":
		return kwCreate
	case "cross":
		return kwCross
	case "data":
		return kwData
	case "deallocate":
		return kwDeallocate
	case "declare":
		return kwDeclare
	case "default":
		return kwDefault
	case "delete":
		return kwDelete
	case "desc":
		return kwDesc
	case "describe":
		return kwDescribe
	case "discard":
		return kwDiscard
	case "distinct":
		return kwDistinct
	case "end":
		return kwEnd
	case "except":
		return kwExcept
	case "execute":
		return kwExecute
	case "exists":
		return kwExists
	case "explain":
		return kwExplain
	case "false":
		return kwFalse
	case "fetch":
		return kwFetch
	case "for":
		return kwFor
	case "force":
		return kwForce
	case "from":
		return kwFrom
	case "full":
		return kwFull
	case "group":
		return kwGroup
	case "having":
		return kwHaving
	case "ignore":
		return kwIgnore
	case "in":
		return kwIn
	case "inner":
		return kwInner
	case "insert":
		return kwInsert
	case "intersect":
		return kwIntersect
	case "into":
		return kwInto
	case "is":
		return kwIs
	case "join":
		return kwJoin
	case "lateral":
		return kwLateral
	case "left":
		return kwLeft
	case "limit":
		return kwLimit
	case "local":
		return kwLocal
	case "lock":
		return kwLock
	case "materialized":
		return kwMaterialized
	case "merge":
		return kwMerge
	case "no":
		return kwNo
	case "natural":
		return kwNatural
	case "none":
		return kwNone
	case "not":
		return kwNot
	case "null":
		return kwNull
	case "nullif":
		return kwNullif
	case "offset":
		return kwOffset
	case "on":
		return kwOn
	case "only":
		return kwOnly
	case "or":
		return kwOr
	case "order":
		return kwOrder
	case "outer":
		return kwOuter
	case "over":
		return kwOver
	case "overriding":
		return kwOverriding
	case "partition":
		return kwPartition
	case "prepare":
		return kwPrepare
	case "prepared":
		return kwPrepared
	case "procedure":
		return kwProcedure
	case "recursive":
		return kwRecursive
	case "refresh":
		return kwRefresh
	case "release":
		return kwRelease
	case "replace":
		return kwReplace
	case "reset":
		return kwReset
	case "returning":
		return kwReturning
	case "right":
		return kwRight
	case "role":
		return kwRole
	case "rollback":
		return kwRollback
	case "row":
		return kwRow
	case "rows":
		return kwRows
	case "savepoint":
		return kwSavepoint
	case "select":
		return kwSelect
	case "session":
		return kwSession
	case "set":
		return kwSet
	case "show":
		return kwShow
	case "some":
		return kwSome
	case "source":
		return kwSource
	case "start":
		return kwStart
	case "straight_join":
		return kwStraightJoin
	case "table":
		return kwTable
	case "tablesample":
		return kwTablesample
	case "temp":
		return kwTemp
	case "temporary":
		return kwTemporary
	case "then":
		return kwThen
	case "to":
		return kwTo
	case "transaction":
		return kwTransaction
	case "true":
		return kwTrue
	case "truncate":
		return kwTruncate
	case "union":
		return kwUnion
	case "unlogged":
		return kwUnlogged
	case "update":
		return kwUpdate
	case "use":
		return kwUse
	case "using":
		return kwUsing
	case "value":
		return kwValue
	case "values":
		return kwValues
	case "when":
		return kwWhen
	case "where":
		return kwWhere
	case "window":
		return kwWindow
	case "with":
		return kwWith
	case "work":
		return kwWork
	case "xor":
		return kwXor
	}
	return 0
}

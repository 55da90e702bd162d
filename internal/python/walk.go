package python

// Walk calls visit for n and everything below it, parents first and in the order of the
// source as far as the fields keep it. If visit returns false, what is below is left out.
// A nil n is nothing to visit. The values that are not pointers in the tree, such as
// [Keyword] and [Param], are visited as pointers to them.
func Walk(n Node, visit func(Node) bool) {
	if n == nil || !visit(n) {
		return
	}
	expr := func(xs ...Expr) {
		for _, x := range xs {
			if x != nil {
				Walk(x, visit)
			}
		}
	}
	stmts := func(list []Stmt) {
		for _, s := range list {
			Walk(s, visit)
		}
	}
	switch n := n.(type) {
	case *FStringExpr:
		expr(n.Parts...)
	case *FormatExpr:
		expr(n.X)
		if n.Spec != nil {
			Walk(n.Spec, visit)
		}
	case *AttrExpr:
		expr(n.X)
	case *IndexExpr:
		expr(n.X, n.Index)
	case *SliceExpr:
		expr(n.Lower, n.Upper, n.Step)
	case *CallExpr:
		expr(n.Fn)
		walkArgs(n.Args, n.Keywords, visit)
	case *Keyword:
		expr(n.X)
	case *UnaryExpr:
		expr(n.X)
	case *BinExpr:
		expr(n.X, n.Y)
	case *BoolExpr:
		expr(n.Xs...)
	case *CompareExpr:
		expr(n.X)
		expr(n.Ys...)
	case *CondExpr:
		expr(n.Then, n.Cond, n.Else)
	case *LambdaExpr:
		walkParams(n.Params, visit)
		expr(n.Body)
	case *TupleExpr:
		expr(n.Elts...)
	case *ListExpr:
		expr(n.Elts...)
	case *SetExpr:
		expr(n.Elts...)
	case *DictExpr:
		for i := range n.Keys {
			expr(n.Keys[i], n.Values[i])
		}
	case *CompExpr:
		expr(n.X, n.Y)
		for i := range n.Fors {
			Walk(&n.Fors[i], visit)
		}
	case *CompFor:
		expr(n.Target, n.Iter)
		expr(n.Ifs...)
	case *AwaitExpr:
		expr(n.X)
	case *YieldExpr:
		expr(n.X)
	case *StarExpr:
		expr(n.X)
	case *WalrusExpr:
		Walk(n.Target, visit)
		expr(n.X)
	case *ReprExpr:
		expr(n.X)
	case *Param:
		expr(n.Tuple, n.Annotation, n.Default)
	case *TypeParam:
		expr(n.Bound, n.Default)

	case *ExprStmt:
		expr(n.X)
	case *AssignStmt:
		expr(n.Targets...)
		expr(n.X)
	case *AugAssignStmt:
		expr(n.Target, n.X)
	case *AnnAssignStmt:
		expr(n.Target, n.Annotation, n.X)
	case *ReturnStmt:
		expr(n.X)
	case *DelStmt:
		expr(n.Targets...)
	case *RaiseStmt:
		expr(n.X, n.Cause, n.Arg, n.Traceback)
	case *AssertStmt:
		expr(n.Cond, n.Msg)
	case *ImportStmt:
		for i := range n.Names {
			Walk(&n.Names[i], visit)
		}
	case *ImportFromStmt:
		for i := range n.Names {
			Walk(&n.Names[i], visit)
		}
	case *IfStmt:
		expr(n.Cond)
		stmts(n.Body)
		stmts(n.Else)
	case *WhileStmt:
		expr(n.Cond)
		stmts(n.Body)
		stmts(n.Else)
	case *ForStmt:
		expr(n.Target, n.Iter)
		stmts(n.Body)
		stmts(n.Else)
	case *TryStmt:
		stmts(n.Body)
		for i := range n.Handlers {
			Walk(&n.Handlers[i], visit)
		}
		stmts(n.Else)
		stmts(n.Finally)
	case *Handler:
		expr(n.Type, n.Target)
		stmts(n.Body)
	case *WithStmt:
		for i := range n.Items {
			Walk(&n.Items[i], visit)
		}
		stmts(n.Body)
	case *WithItem:
		expr(n.X, n.Target)
	case *FuncStmt:
		expr(n.Decorators...)
		walkTypeParams(n.TypeParams, visit)
		walkParams(n.Params, visit)
		expr(n.Returns)
		stmts(n.Body)
	case *ClassStmt:
		expr(n.Decorators...)
		walkTypeParams(n.TypeParams, visit)
		walkArgs(n.Bases, n.Keywords, visit)
		stmts(n.Body)
	case *MatchStmt:
		expr(n.Subject)
		for i := range n.Cases {
			Walk(&n.Cases[i], visit)
		}
	case *MatchCase:
		Walk(n.Pattern, visit)
		expr(n.Guard)
		stmts(n.Body)
	case *TypeAliasStmt:
		Walk(n.Name, visit)
		walkTypeParams(n.TypeParams, visit)
		expr(n.X)
	case *PrintStmt:
		expr(n.Dest)
		expr(n.Xs...)
	case *ExecStmt:
		expr(n.X, n.Globals, n.Locals)

	case *ValuePattern:
		expr(n.X)
	case *SingletonPattern:
		expr(n.X)
	case *SequencePattern:
		walkPatterns(n.Patterns, visit)
	case *MappingPattern:
		for i := range n.Keys {
			expr(n.Keys[i])
			Walk(n.Patterns[i], visit)
		}
	case *ClassPattern:
		expr(n.Class)
		walkPatterns(n.Patterns, visit)
		walkPatterns(n.KwPatterns, visit)
	case *AsPattern:
		if n.Pattern != nil {
			Walk(n.Pattern, visit)
		}
	case *OrPattern:
		walkPatterns(n.Patterns, visit)
	}
}

func walkArgs(args []Expr, keywords []Keyword, visit func(Node) bool) {
	for _, x := range args {
		Walk(x, visit)
	}
	for i := range keywords {
		Walk(&keywords[i], visit)
	}
}

func walkParams(params []Param, visit func(Node) bool) {
	for i := range params {
		Walk(&params[i], visit)
	}
}

func walkTypeParams(params []TypeParam, visit func(Node) bool) {
	for i := range params {
		Walk(&params[i], visit)
	}
}

func walkPatterns(patterns []Pattern, visit func(Node) bool) {
	for _, x := range patterns {
		Walk(x, visit)
	}
}

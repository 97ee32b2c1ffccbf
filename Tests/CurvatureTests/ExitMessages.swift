import Testing

/// What a process that ended wrote to standard error; the exit test must observe it.
func message(of result: ExitTest.Result?) -> String {
    guard let result else { return "" }
    return String(decoding: result.standardErrorContent, as: UTF8.self)
}

internal import ControlPlane

/// One line of the native API: what it matches, what it does, and how its documentation reads.
struct NativeRoute: Sendable {
    let method: String
    /// `/volumes/{id}`: segments in braces match anything and are known to the call by that name.
    let pattern: [String]
    let summary: String
    /// Query parameters it takes.
    let query: [String]
    /// Keys of the JSON body it takes.
    let keys: [String]
    /// Does it take raw bytes instead of JSON?
    let takesBytes: Bool
    /// Is it asked again and again, as a small part of something that leaves an event, and leaves none itself?
    let isSmallTalk: Bool
    let run: @Sendable (NativeCall) async throws -> NativeAnswer

    init(
        _ method: String, _ pattern: String, _ summary: String, query: [String] = [], keys: [String] = [],
        takesBytes: Bool = false, isSmallTalk: Bool = false,
        run: @escaping @Sendable (NativeCall) async throws -> NativeAnswer
    ) {
        self.method = method
        self.pattern = Self.segments(of: pattern)
        self.summary = summary
        self.query = query
        self.keys = keys
        self.takesBytes = takesBytes
        self.isSmallTalk = isSmallTalk
        self.run = run
    }

    static func segments(of path: String) -> [String] {
        path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    }

    /// The values of the pattern's names, or nil if the path is another.
    func match(_ segments: [String]) -> [String: String]? {
        guard segments.count == pattern.count else { return nil }
        var values: [String: String] = [:]
        for (part, segment) in zip(pattern, segments) {
            if part.hasPrefix("{") {
                values[String(part.dropFirst().dropLast())] = segment
            } else if part != segment {
                return nil
            }
        }
        return values
    }
}

public import Blocks

/// Until when a policy shares with an account what it took.
public struct PolicyShare: Equatable, Sendable {
    /// The account's digits.
    public var account: String
    /// When that is over.
    public var end: WallTime

    /// Makes one.
    public init(with account: String, until end: WallTime) {
        self.account = account
        self.end = end
    }

    /// Reads a line of its column.
    ///
    /// - Parameter common: the end of those whose line has none, as earlier versions wrote them.
    init(_ line: String, else common: WallTime?) throws(CatalogFailure) {
        let parts = line.split(separator: "=", maxSplits: 1)
        if parts.count == 2, let end = Int64(parts[1]) {
            self.init(with: String(parts[0]), until: WallTime(milliseconds: end))
        } else if parts.count == 1, let common {
            self.init(with: line, until: common)
        } else {
            throw .corrupt("policy_snapshots shares with \(line), which has no end")
        }
    }

    /// As its column has it.
    static func column(_ shares: [PolicyShare]) -> String? {
        shares.isEmpty ? nil : shares.map { "\($0.account)=\($0.end.milliseconds)" }.joined(separator: "\n")
    }
}

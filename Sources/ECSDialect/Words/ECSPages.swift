internal import Blocks
internal import ControlPlane

/// A page of a list, newest first: by its number, or from a token on.
///
/// A token holds where the page before ended, so that what is made or deleted meanwhile moves nothing; it is good for the same
/// account, action and filters only.
struct ECSPages {
    /// One page and what tells of the others.
    struct Page<Item> {
        let items: [Item]
        let total: Int
        let pages: ECSPages
        let next: String?

        /// What every list's answer has beside the list.
        func write(into fields: inout ECSFields) {
            fields.add("TotalCount", total)
            fields.add("PageNumber", pages.number)
            fields.add("PageSize", pages.size)
            fields.add("NextToken", next)
        }
    }

    private enum Start: Equatable {
        case number
        case first
        case after(WallTime, String)
    }

    let number: Int
    let size: Int
    private let start: Start
    private static let left: Set<String> = ["PageNumber", "PageSize", "NextToken", "MaxResults"]

    init(_ call: ECSCall, maximum: Int = 100) throws(ECSFailure) {
        let parameters = call.parameters
        if parameters["NextToken"] != nil || parameters["MaxResults"] != nil {
            let wanted = try parameters.number("MaxResults") ?? 10
            number = 1
            size = min(max(wanted, 10), maximum)
            start =
                try parameters["NextToken"].map { (token) throws(ECSFailure) in try Self.read(token, call) } ?? .first
            return
        }
        number = try parameters.number("PageNumber") ?? 1
        size = try parameters.number("PageSize") ?? 10
        guard number >= 1, number <= 1_000_000 else { throw .parameter("PageNumber") }
        guard (1...100).contains(size) else { throw .parameter("PageSize") }
        start = .number
    }

    /// - Parameter key: when an item was made, and its id, which tells it from the others.
    func page<Item>(of all: [Item], _ call: ECSCall, _ key: (Item) -> (time: WallTime, id: String)) -> Page<Item> {
        let items = all.sorted { a, b in
            let (a, b) = (key(a), key(b))
            return a.time == b.time ? a.id < b.id : a.time > b.time
        }
        if start == .number {
            let first = min(items.count, (number - 1) * size)
            return Page(items: Array(items[first...].prefix(size)), total: items.count, pages: self, next: nil)
        }
        var rest = items[...]
        if case .after(let time, let id) = start {
            rest = rest.drop { item in
                let key = key(item)
                return key.time > time || key.time == time && key.id <= id
            }
        }
        let page = Array(rest.prefix(size))
        var next = ""
        if rest.count > size, let last = page.last { next = Self.token(key(last), call) }
        return Page(items: page, total: items.count, pages: self, next: next)
    }

    private static func purpose(_ call: ECSCall) -> String {
        "ecs \(call.action) \(call.caller.account) \(call.region.name) \(call.parameters.fingerprint(without: left))"
    }

    private static func token(_ key: (time: WallTime, id: String), _ call: ECSCall) -> String {
        call.verbs.snapshots.sealed("\(key.time.milliseconds) \(key.id)", for: purpose(call))
    }

    private static func read(_ token: String, _ call: ECSCall) throws(ECSFailure) -> Start {
        let parts = call.verbs.snapshots.unsealed(token, for: purpose(call))?.split(separator: " ", maxSplits: 1) ?? []
        guard parts.count == 2, let milliseconds = Int64(parts[0]) else { throw .parameter("NextToken") }
        return .after(WallTime(milliseconds: milliseconds), String(parts[1]))
    }
}

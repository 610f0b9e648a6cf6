internal import Blocks
public import ObjectStore

extension S3Store {
    /// The most keys in a page or in a deletion.
    static let keysPerRequest = 1000

    /// Pages without a key that a listing may have: servers that look at many deleted objects send some.
    private static let emptyPagesMax = 1000

    /// See ``ObjectStore``. As many pages as the limit needs.
    ///
    /// A key that does not come after the one before it is a failure. Who lists from the last key on would pass over
    /// others, and what is passed over may be the snapshot that a pack is still needed for.
    public func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        var found: [ObjectEntry] = []
        var continuation: String?
        var last = startAfter, emptyPages = 0
        while found.count < limit {
            let page = try page(prefix, startAfter, continuation, limit: min(Self.keysPerRequest, limit - found.count))
            for entry in page.entries {
                let entry = try plain(entry, below: prefix, after: last)
                last = entry.key
                found.append(entry)
            }
            guard let next = page.continuation else { break }
            emptyPages = page.entries.isEmpty ? emptyPages + 1 : 0
            guard next != continuation, emptyPages < Self.emptyPagesMax else {
                throw .transient("\(location.endpoint) does not get on with listing \(prefix)")
            }
            continuation = next
        }
        return Array(found.prefix(limit))
    }

    private func page(
        _ prefix: String, _ startAfter: String?, _ continuation: String?, limit: Int
    ) throws(StoreFailure) -> ListPage {
        var order = S3Order("GET")
        order.query = [
            ("list-type", "2"), ("max-keys", "\(limit)"), ("prefix", full(prefix)), ("encoding-type", "url"),
        ]
        if let continuation {
            order.query.append(("continuation-token", continuation))
        } else if let startAfter {
            order.query.append(("start-after", full(startAfter)))
        }
        let answer = try answer(to: order, about: nil)
        guard let page = ListPage(answer.body) else {
            throw .permanent(
                "\(location.endpoint) does not list as an S3 server does: check endpoint= in the store's URL")
        }
        return page
    }

    /// Without the prefix that all keys of this store have.
    private func plain(
        _ entry: ObjectEntry, below prefix: String, after last: String?
    ) throws(StoreFailure) -> ObjectEntry {
        guard entry.key.hasPrefix(full(prefix)) else {
            throw .permanent("\(location.endpoint) lists \(entry.key.prefix(80)), which is not below \(full(prefix))")
        }
        var plain = entry
        plain.key = String(entry.key.dropFirst(location.prefix.count))
        if let last, !last.utf8.lexicographicallyPrecedes(plain.key.utf8) {
            throw .permanent(
                "\(location.endpoint) lists \(plain.key.prefix(80)) after \(last.prefix(80)): a store must list keys in "
                    + "their order")
        }
        return plain
    }
}

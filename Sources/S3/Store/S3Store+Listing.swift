internal import Blocks
public import ObjectStore

extension S3Store {
    /// The most keys in a page or in a deletion.
    static let keysPerRequest = 1000

    /// See ``ObjectStore``. As many pages as the limit needs.
    public func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        var found: [ObjectEntry] = []
        var continuation: String?
        while found.count < limit {
            let page = try page(prefix, startAfter, continuation, limit: min(Self.keysPerRequest, limit - found.count))
            found += try page.entries.map { (entry) throws(StoreFailure) in try plain(entry) }
            guard let next = page.continuation else { break }
            guard next != continuation else {
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
    private func plain(_ entry: ObjectEntry) throws(StoreFailure) -> ObjectEntry {
        guard entry.key.hasPrefix(location.prefix) else {
            throw .permanent(
                "\(location.endpoint) lists \(entry.key.prefix(80)), which is not below \(location.prefix)")
        }
        var plain = entry
        plain.key = String(entry.key.dropFirst(location.prefix.count))
        return plain
    }
}

internal import Blocks
internal import ObjectStore

extension PackAccess {
    /// Puts an object that nobody else may have put; repeating it with the same bytes succeeds.
    ///
    /// A transient failure may mean that the object is there and only the answer was lost: what is there then is read
    /// back and compared.
    ///
    /// - Returns: false if something else is there.
    func putOnce(_ bytes: [UInt8], at key: String) throws(RepositoryFailure) -> Bool {
        do throws(StoreFailure) {
            if try bytes.readBytes({ (span) throws(StoreFailure) in try store.putIfAbsent(span, at: key) }) {
                return true
            }
        } catch {
            guard case .transient = error else { throw .store(error) }
            guard try object(key) == bytes else { throw .store(error) }
            return true
        }
        return try object(key) == bytes
    }

    /// A whole object, or nil if there is none.
    func object(_ key: String) throws(RepositoryFailure) -> [UInt8]? {
        do { return try store.get(key, range: nil) } catch {
            if case .missing = error { return nil }
            throw .store(error)
        }
    }

    func put(_ bytes: [UInt8], at key: String) throws(RepositoryFailure) {
        do throws(StoreFailure) {
            try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
        } catch { throw .store(error) }
    }

    func delete(_ keys: [String]) throws(RepositoryFailure) {
        do { try store.delete(keys) } catch { throw .store(error) }
    }

    /// Calls `body` with every object under `prefix`, in key order.
    func list(_ prefix: String, _ body: (ObjectEntry) -> Void) throws(RepositoryFailure) {
        var last: String?
        while true {
            let page: [ObjectEntry]
            do { page = try store.list(prefix: prefix, startAfter: last, limit: 1000) } catch { throw .store(error) }
            for entry in page { body(entry) }
            guard page.count == 1000, let end = page.last else { return }
            last = end.key
        }
    }
}

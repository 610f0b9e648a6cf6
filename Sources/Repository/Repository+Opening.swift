internal import Blocks
public import ObjectStore

extension Repository {
    /// Opens the repository in `store`.
    ///
    /// - Throws: ``RepositoryFailure/notARepository(_:)`` if there is none or it is damaged,
    ///   ``RepositoryFailure/newerFormat(found:supported:)`` if this Varve is too old for it.
    public static func open(
        _ store: any ObjectStore, options: RepositoryOptions = RepositoryOptions()
    ) throws(RepositoryFailure) -> Repository {
        let key = Keys(prefix: options.prefix).repository
        let bytes: [UInt8]
        do { bytes = try store.get(key, range: nil) } catch {
            if case .missing = error { throw .notARepository("there is no object \(key)") }
            throw .store(error)
        }
        return Repository(id: try decode(bytes, key).id, store: store, options: options)
    }

    /// Opens the repository in `store`; makes one if the store has none.
    public static func openOrCreate(
        _ store: any ObjectStore, options: RepositoryOptions = RepositoryOptions()
    ) throws(RepositoryFailure) -> Repository {
        do { return try open(store, options: options) } catch {
            guard case .notARepository(let found) = error, found.hasPrefix("there is no") else { throw error }
        }
        let digits = (0..<17).map { _ in String(Int.random(in: 0..<16), radix: 16) }
        let record = RepositoryRecord(id: "repo-" + digits.joined(), created: options.clock.now().milliseconds)
        let key = Keys(prefix: options.prefix).repository
        do throws(StoreFailure) {
            // Whoever was first, from here on it is the same repository.
            _ = try RecordJSON.encode(record).readBytes { (span) throws(StoreFailure) in
                try store.putIfAbsent(span, at: key)
            }
        } catch { throw .store(error) }
        return try open(store, options: options)
    }

    private static func decode(_ bytes: [UInt8], _ key: String) throws(RepositoryFailure) -> RepositoryRecord {
        let version: RepositoryVersion
        do { version = try RecordJSON.decode(RepositoryVersion.self, bytes) } catch {
            throw .notARepository("\(key) \(error.reason)")
        }
        guard version.format == RepositoryRecord.format else {
            throw .notARepository("\(key) is of format \"\(version.format)\"")
        }
        guard version.version <= RepositoryRecord.version else {
            throw .newerFormat(found: version.version, supported: RepositoryRecord.version)
        }
        do throws(FormatFailure) {
            let record = try RecordJSON.decode(RepositoryRecord.self, bytes)
            guard record.crypto == "none" else { throw FormatFailure("asks for encryption \"\(record.crypto)\"") }
            return record
        } catch { throw .notARepository("\(key) \(error.reason)") }
    }
}

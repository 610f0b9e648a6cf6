internal import Blocks
public import ObjectStore
internal import RequestSigning

extension S3Store {
    /// See ``ObjectStore``. Up to a thousand keys a request.
    public func delete(_ keys: [String]) throws(StoreFailure) {
        for key in keys { try ObjectKey.check(key) }
        if keys.count == 1 { return try deleteOne(keys[0]) }
        for start in stride(from: 0, to: keys.count, by: Self.keysPerRequest) {
            try deleteMany(keys[start..<min(start + Self.keysPerRequest, keys.count)])
        }
    }

    private func deleteOne(_ key: String) throws(StoreFailure) {
        do { _ = try answer(to: S3Order("DELETE", full(key)), about: key) } catch {
            guard case .missing = error else { throw error }
        }
    }

    private func deleteMany(_ keys: ArraySlice<String>) throws(StoreFailure) {
        var order = S3Order("POST")
        order.query = [("delete", "")]
        order.body = S3Document.deletion(of: keys.map(full))
        order.headers.append(.init("content-type", "application/xml"))
        // S3 wants this request's body to be covered by a checksum of this kind, whatever was signed.
        if let sum = BodyHash.md5(of: order.body) {
            order.headers.append(.init("content-md5", sum))
        } else {
            order.headers.append(.init("x-amz-checksum-sha256", BodyHash(of: order.body).base64))
        }
        let answer = try send(order)
        if answer.status == 501 { return try deleteOneByOne(keys) }
        guard answer.isSuccess else { throw try refusal(answer, about: nil) }
        guard let undeleted = S3Document.undeleted(answer.body) else {
            throw .transient("\(location.endpoint) does not say what it deleted")
        }
        let left = undeleted.filter { $0.refusal.code != "NoSuchKey" }
        guard let first = left.first else { return }
        // Without a status of its own a key's refusal is judged by its code: what a server could not do just now is 500.
        let isForNow = ["InternalError", "SlowDown", "ServiceUnavailable", ""].contains(first.refusal.code)
        throw try failures().failure(first.refusal, status: isForNow ? 500 : 400)
    }

    private func deleteOneByOne(_ keys: ArraySlice<String>) throws(StoreFailure) {
        for key in keys { try deleteOne(key) }
    }
}

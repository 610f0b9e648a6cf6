internal import Blocks
internal import ObjectStore
internal import RequestSigning

/// A large object goes up in parts.
///
/// 1. Begin; the server names the upload.       Undo: abort it.
/// 2. Put the parts, each tried a few times.    Undo: abort it.
/// 3. Complete: the object appears, all at once. Undo: abort it, which does nothing once it is complete.
///
/// If the answer to 3 is lost, the next try finds no such upload, which counts as transient: whoever retries puts the
/// object again, with the same bytes. A crash leaves an upload that costs space and that no listing shows: buckets should
/// have a rule that ends unfinished uploads after a day.
extension S3Store {
    func putInParts(_ bytes: RawSpan, at key: String) throws(StoreFailure) {
        var begin = S3Order("POST", full(key))
        begin.query = [("uploads", "")]
        let answer = try answer(to: begin, about: key)
        guard let id = S3Document.uploadID(answer.body) else {
            throw .transient("\(location.endpoint) does not name the upload of \(key) that it began")
        }
        do {
            let tags = try putParts(bytes, key, id)
            try complete(tags, key, id)
        } catch {
            abort(key, id)
            throw error
        }
    }

    private func putParts(_ bytes: RawSpan, _ key: String, _ id: String) throws(StoreFailure) -> [String] {
        let size = max(part.bytes, (bytes.byteCount + 9999) / 10_000)
        var tags: [String] = []
        for start in stride(from: 0, to: bytes.byteCount, by: size) {
            let slice = bytes.extracting(start..<min(start + size, bytes.byteCount))
            var order = S3Order("PUT", full(key))
            order.query = [("partNumber", "\(tags.count + 1)"), ("uploadId", id)]
            order.body = [UInt8](copying: slice)
            tags.append(try tag(ofPart: order, key))
        }
        return tags
    }

    /// A part that fails is sent again at once, twice: starting over costs all parts before it.
    private func tag(ofPart order: S3Order, _ key: String) throws(StoreFailure) -> String {
        var failure = StoreFailure.transient("not tried")
        for _ in 0..<3 {
            do throws(StoreFailure) {
                let answer = try answer(to: order, about: key)
                if let tag = answer.header("etag") { return tag }
                throw StoreFailure.permanent("\(location.endpoint) gives a part no ETag: is it an S3 server?")
            } catch {
                failure = error
                guard case .transient = error else { throw error }
            }
        }
        throw failure
    }

    private func complete(_ tags: [String], _ key: String, _ id: String) throws(StoreFailure) {
        var order = S3Order("POST", full(key))
        order.query = [("uploadId", id)]
        order.body = S3Document.completion(of: tags)
        order.headers.append(.init("content-type", "application/xml"))
        let answer = try answer(to: order, about: key)
        guard S3Document.isCompleted(answer.body) else {
            throw try failures().failure(S3Refusal(answer), status: 500, key: key)
        }
    }

    private func abort(_ key: String, _ id: String) {
        var order = S3Order("DELETE", full(key))
        order.query = [("uploadId", id)]
        // If this fails too, the bucket's rule for unfinished uploads ends it.
        for _ in 0..<3 { if let answer = try? send(order), answer.isSuccess || answer.status == 404 { return } }
    }
}

@testable internal import NBD

/// The inverse of ``ReplyEncoder``: what a client makes of the server's bytes.
struct ReplyReader {
    struct Answer: Equatable {
        var error: UInt32 = 0
        var data: [UInt8] = []
        var chunks = 0
        var isWhole = false
    }

    /// The answers by cookie.
    private(set) var answers: [UInt64: Answer] = [:]

    /// - Parameter reads: the lengths of reads by cookie, without which simple replies have no end.
    init(_ bytes: [UInt8], reads: [UInt64: Int]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            var reader = FieldReader(rest)
            switch reader.integer(UInt32.self) {
            case Magic.simpleReply: rest = try simple(rest, reads)
            case Magic.structuredReply: rest = try chunk(rest)
            default: throw BrokenProperty(description: "a reply begins with its magic number")
            }
        }
    }

    private mutating func simple(
        _ bytes: ArraySlice<UInt8>, _ reads: [UInt64: Int]
    ) throws -> ArraySlice<UInt8> {
        var reader = FieldReader(bytes.dropFirst(4))
        let error = try demand(reader.integer(UInt32.self), "a simple reply has an error")
        let cookie = try demand(reader.integer(UInt64.self), "a simple reply has a cookie")
        try demand(answers[cookie] == nil, "a request is answered once")
        let count = error == 0 ? reads[cookie] ?? 0 : 0
        try demand(reader.remaining >= count, "a read's data is whole")
        let data = Array(bytes.dropFirst(16).prefix(count))
        answers[cookie] = Answer(error: error, data: data, chunks: 1, isWhole: true)
        return bytes.dropFirst(16 + count)
    }

    private mutating func chunk(_ bytes: ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        var reader = FieldReader(bytes.dropFirst(4))
        guard let flags = reader.integer(UInt16.self), let type = reader.integer(UInt16.self),
            let cookie = reader.integer(UInt64.self), let length = reader.integer(UInt32.self),
            Int(length) <= reader.remaining
        else { throw BrokenProperty(description: "a chunk is whole") }
        let body = bytes.dropFirst(20).prefix(Int(length))
        var answer = answers[cookie] ?? Answer()
        try demand(!answer.isWhole, "nothing follows a request's last chunk")
        answer.chunks += 1
        answer.isWhole = flags & ChunkType.done != 0
        var fields = FieldReader(body)
        switch type {
        case ChunkType.none: try demand(body.isEmpty, "an empty chunk is empty")
        case ChunkType.offsetData: answer.data += body.dropFirst(8)
        case ChunkType.offsetHole:
            _ = fields.integer(UInt64.self)
            let count = try demand(fields.integer(UInt32.self), "a hole has a length")
            answer.data += [UInt8](repeating: 0, count: Int(count))
        case ChunkType.error:
            answer.error = try demand(fields.integer(UInt32.self), "an error has a number")
            let count = try demand(fields.integer(UInt16.self), "an error has a text")
            try demand(fields.remaining == Int(count), "an error's text is as long as it says")
        case ChunkType.blockStatus:
            try demand(body.count >= 12 && body.count % 8 == 4, "a status has descriptors")
        default: throw BrokenProperty(description: "a chunk is of a known type")
        }
        answers[cookie] = answer
        return bytes.dropFirst(20 + Int(length))
    }
}

import Blocks
import Glibc
import RequestSigning
import S3

/// The smallest HTTP client that can carry S3's requests: to one IPv4 address, unencrypted, a connection each. With it the
/// laws run against a real server without the HTTP packages, whose debug build takes minutes.
struct PlainExchange: HTTPExchange {
    let port: UInt16
    /// MSG_NOSIGNAL: a server that closed early is no reason to end.
    private static let noSignal: Int32 = 0x4000

    func send(_ request: HTTPRequest) throws(ExchangeFailure) -> HTTPAnswer {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard connection >= 0 else { throw .lost("no socket") }
        defer { close(connection) }
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        unsafe setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(connection, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw .refused }
        var head = "\(request.method) \(request.target) HTTP/1.1\r\n"
        for header in request.headers { head += "\(header.name): \(header.value)\r\n" }
        if ["PUT", "POST"].contains(request.method) { head += "content-length: \(request.body.count)\r\n" }
        try write(Array((head + "connection: close\r\n\r\n").utf8) + request.body, connection)
        return try parse(readAll(connection), isHead: request.method == "HEAD")
    }

    private func write(_ bytes: [UInt8], _ connection: Int32) throws(ExchangeFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.send(
                    connection, all.baseAddress.map { unsafe $0 + sent }, all.count - sent, Self.noSignal
                )
            }
            // The server may answer and close before it has read everything; its answer counts.
            guard count > 0 else { return }
            sent += count
        }
    }

    private func readAll(_ connection: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = unsafe part.withUnsafeMutableBytes { unsafe recv(connection, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return all }
            all += part[..<count]
        }
    }

    private func parse(_ bytes: [UInt8], isHead: Bool) throws(ExchangeFailure) -> HTTPAnswer {
        var lines: [String] = []
        var at = 0
        while let end = bytes[at...].firstIndex(of: 10) {
            let line = String(decoding: bytes[at..<end], as: UTF8.self).filter { !$0.isNewline }
            at = end + 1
            if line.isEmpty, lines.isEmpty == false {
                if lines[0].contains(" 100 ") { lines = [] } else { break }
            } else {
                lines.append(line)
            }
        }
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, let status = Int(words[1]) else { throw .lost("no answer") }
        let headers = lines.dropFirst().compactMap { line -> SignableRequest.Header? in
            let parts = line.split(separator: ":", maxSplits: 1)
            return parts.count == 2 ? .init(String(parts[0]), String(parts[1].drop { $0 == " " })) : nil
        }
        var answer = HTTPAnswer(status: status, headers: headers, body: isHead ? [] : Array(bytes[at...]))
        if answer.header("transfer-encoding") == "chunked" { answer.body = Self.joined(answer.body) }
        return answer
    }

    private static func joined(_ chunks: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        var at = 0
        while let end = chunks[at...].firstIndex(of: 10) {
            let digits = String(decoding: chunks[at..<end], as: UTF8.self).prefix { $0.isHexDigit }
            guard let size = Int(digits, radix: 16), size > 0, end + 1 + size <= chunks.count else { return body }
            body += chunks[(end + 1)..<(end + 1 + size)]
            at = min(end + 1 + size + 2, chunks.count)
        }
        return body
    }
}

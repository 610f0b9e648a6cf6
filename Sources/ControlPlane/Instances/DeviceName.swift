/// Under which name a volume is on an instance: `/dev/sdf`, as the clouds write it. The host may see it under another.
struct DeviceName: Equatable {
    /// As it was given, with `/dev/` before it.
    let text: String
    /// What makes two of them the same: `/dev/sdf` and `/dev/xvdf` are one.
    private let place: Substring

    init(_ text: String) throws {
        let name = text.hasPrefix("/dev/") ? text.dropFirst("/dev/".count) : text[...]
        let place = name.hasPrefix("xvd") ? name.dropFirst(3) : name.hasPrefix("sd") ? name.dropFirst(2) : ""
        let letters = place.prefix { $0.isASCII && $0.isLetter && $0.isLowercase }
        let digits = place.dropFirst(letters.count)
        guard (1...2).contains(letters.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.count <= 3
        else {
            throw ServiceError(
                .invalid, .attachment, "\"\(text.quotable)\" is no device: it looks like /dev/sdf or /dev/xvdf")
        }
        self.text = "/dev/\(name)"
        self.place = place
    }

    /// Is this what an instance starts from?
    static func isBoot(_ device: String?) -> Bool {
        ["/dev/sda", "/dev/sda1", "/dev/xvda", "/dev/xvda1"].contains(device ?? "")
    }

    /// Of the socket's file.
    var fileName: String { String(text.dropFirst("/dev/".count)) }

    static func == (a: DeviceName, b: DeviceName) -> Bool { a.place == b.place }

    /// The first one that none of `taken` is, in the order of letters from `first` on and then from `b`; nil if all are.
    static func free(beside taken: [DeviceName], from first: Character = "f") -> DeviceName? {
        let all = Array("bcdefghijklmnopqrstuvwxyz"), start = all.firstIndex(of: first) ?? 0
        let letters = (all[start...] + all[..<start]).map(String.init)
        let names = letters + "bcdefghijklmnopqrstuvwxyz".flatMap { first in letters.map { "\(first)\($0)" } }
        return names.lazy.compactMap { try? DeviceName("/dev/sd\($0)") }.first { !taken.contains($0) }
    }
}

/// Where a house says that it is: a region of a cloud, as clients name it, with at least one zone.
public struct Region: Sendable, Equatable {
    /// A part of a region: volumes and the hosts they attach to are in the same one.
    public struct Zone: Sendable, Equatable {
        /// As clients name it: `us-east-1a`.
        public var name: String
        /// Its id, which Amazon's clients may use instead: `use1-az1`.
        public var id: String

        /// Makes one.
        public init(name: String, id: String) {
            self.name = name
            self.id = id
        }
    }

    /// As clients name it: `us-east-1`.
    public var name: String
    /// Its zones, in order; the first one is used where none is named.
    public var zones: [Zone]

    /// Makes one with zones `a`, `b`, ... of the given number.
    public init(name: String, zoneCount: Int = 1) {
        precondition((1...26).contains(zoneCount))
        self.name = name
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        // us-east-1 -> use1, ap-southeast-2 -> apse2: the first letters and the number, as Amazon shortens them.
        let parts = name.split(separator: "-")
        let short = parts.map { part in
            part.allSatisfy(\.isNumber) ? String(part) : part.count == 2 ? String(part) : Self.shortened(part)
        }.joined()
        zones = (0..<zoneCount).map { Zone(name: name + String(letters[$0]), id: "\(short)-az\($0 + 1)") }
    }

    private static func shortened(_ part: Substring) -> String {
        switch part {
        case "northeast": "ne"
        case "northwest": "nw"
        case "southeast": "se"
        case "southwest": "sw"
        default: String(part.prefix(1))
        }
    }

    /// May a region be called so? Folders and addresses are called after it.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
            && text.contains { $0 != "-" }
    }

    /// The zone of that name or id, or nil.
    public func zone(_ text: String) -> Zone? { zones.first { $0.name == text || $0.id == text } }
}

/// Ids: a prefix and 17 hexadecimal digits, as in `vol-0123456789abcdef0`.
enum Identifier: String {
    case volume = "vol-"
    case snapshot = "snap-"
    case group = "group-"
    case task = "task-"
    case instance = "i-"
    case launch = "r-"
    case image = "ami-"
    case policy = "policy-"
    case replacement = "replacevol-"

    private static let digits = Array("0123456789abcdef")
    private static let length = 17

    /// A new id. 64 random bits: two alike are not to be expected, and the catalog's keys would refuse them. It begins with 0,
    /// as Amazon's long ids do.
    ///
    /// - Parameter isHidden: nobody is to see it, in events neither.
    func next(isHidden: Bool = false) -> String {
        var random = SystemRandomNumberGenerator()
        let rest = (1..<Self.length).map { _ in Self.digits[Int.random(in: 0..<16, using: &random)] }
        let id = rawValue + "0" + String(rest)
        if isSubject, !isHidden { Deed.note(id) }
        return id
    }

    /// Does it name something that events are about?
    private var isSubject: Bool {
        switch self {
        case .volume, .snapshot, .instance, .image, .policy: true
        case .group, .task, .launch, .replacement: false
        }
    }

    /// Has `text` the form of such an id?
    func isForm(of text: String) -> Bool {
        guard text.utf8.count == rawValue.utf8.count + Self.length, text.hasPrefix(rawValue) else { return false }
        return text.dropFirst(rawValue.count).allSatisfy { Self.digits.contains($0) }
    }

    /// Refuses what cannot be such an id.
    func check(_ text: String, _ noun: ServiceError.Noun) throws {
        defer { if isSubject, isForm(of: text) { Deed.note(text) } }
        guard isForm(of: text) else {
            throw ServiceError(
                .invalid, noun,
                "\"\(text.quotable)\" is no \(noun.rawValue) id: it looks like \(rawValue)0123456789abcdef0")
        }
    }
}

extension String {
    /// At most 64 printable characters of it, for messages.
    var quotable: String {
        let shown = unicodeScalars.prefix(64).map { $0.isPrintable ? String($0) : "\u{fffd}" }.joined()
        return unicodeScalars.count > 64 ? shown + "..." : shown
    }
}

extension Unicode.Scalar {
    /// Can it be shown in one line: no control, no line break, no half of a pair, no direction mark?
    var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}

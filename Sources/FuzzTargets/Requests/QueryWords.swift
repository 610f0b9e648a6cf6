/// What requests of one API's query protocol are made of: known names and words, ids that answers gave, and now and then any text.
struct QueryWords {
    /// The actions.
    let names: [String]
    let parameters: [String]
    let words: [String]
    /// An id of the right form that nothing has.
    let nobody: String

    /// `NAME=VALUE` pairs, up to seven, each with `&` before it.
    func pairs(_ input: inout FuzzInput, _ ids: [String]) -> String {
        var text = ""
        for _ in 0..<input.choice(8) {
            let name = input.choice(16) == 15 ? input.text() : input.pick(parameters)
            text += "&\(name)=\(value(&input, ids))"
        }
        return text
    }

    private func value(_ input: inout FuzzInput, _ ids: [String]) -> String {
        switch input.choice(8) {
        case 0: return input.text()
        case 1: return String(input.edge())
        case 2, 3: return ids.isEmpty ? nobody : input.pick(ids)
        default: return input.pick(words)
        }
    }

    /// The bytes of which ``pairs(_:_:)`` makes these parameters: each with a word, or with the first id that an answer gave.
    func bytes(_ pairs: [(String, String?)]) -> [UInt8] {
        var bytes = [UInt8(pairs.count)]
        for (name, word) in pairs {
            bytes += [0, Self.place(of: name, in: parameters)]
            if let word { bytes += [4, Self.place(of: word, in: words)] } else { bytes += [2, 0] }
        }
        return bytes
    }

    /// The bytes of a request whose action is picked first, after a choice of any text.
    func ask(_ action: String, _ pairs: (String, String?)...) -> [UInt8] {
        [0, Self.place(of: action, in: names)] + bytes(pairs)
    }

    static func place(of word: String, in all: [String]) -> UInt8 { UInt8(all.firstIndex(of: word) ?? 0) }
}

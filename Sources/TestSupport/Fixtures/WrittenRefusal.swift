/// A refusal as it stands in the source: what is written out in it is known, what is put in is not.
public struct WrittenRefusal: Sendable {
    /// A path from the project's root, and a line.
    public let place: String
    /// Nil: it depends.
    public let status: Int?
    /// What clients match on.
    public let code: WrittenText
    /// What people read.
    public let message: WrittenText

    /// Makes one.
    public init(place: String, status: Int?, code: WrittenText, message: WrittenText) {
        self.place = place
        self.status = status
        self.code = code
        self.message = message
    }

    /// Can this have been said by it?
    ///
    /// - Parameter codes: that are written out. A code that is put together is none of them.
    public func canBe(_ said: Said, besides codes: Set<String>) -> Bool {
        (status ?? said.status) == said.status && code.canBe(said.code) && message.canBe(said.message)
            && (code.text != nil || !codes.contains(said.code))
    }
}

extension Migration {
    /// 0028-rates: when what must not be asked of a volume too often was asked, while a server holds such rates.
    ///
    /// `count`: so many at the same moment. Rows older than the rate's span are removed when new ones come.
    static let rates = Migration(
        number: 28, name: "rates",
        statements: [
            """
            CREATE TABLE rated_requests (
                volume_id TEXT NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
                rate TEXT NOT NULL,
                asked_at @integer NOT NULL,
                count @integer NOT NULL,
                PRIMARY KEY (volume_id, rate, asked_at)
            ) @table
            """
        ])
}

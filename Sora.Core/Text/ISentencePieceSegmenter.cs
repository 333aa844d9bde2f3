namespace Sora.Text;

/// <summary>Cuts normalised text into pieces.</summary>
internal interface ISentencePieceSegmenter
{
    /// <summary>Appends the pieces of a text, in order: how many bytes each takes, and its id.</summary>
    /// <param name="text">Normalised UTF-8.</param>
    /// <param name="pieces">Receives the pieces; their lengths add up to that of the text.</param>
    void Segment(ReadOnlySpan<byte> text, List<(int Length, int Id)> pieces);
}

namespace Sora.Text;

/// <summary>A prompt as a text encoder takes it: ids, end of sequence, padding.</summary>
public sealed record TokenizedPrompt
{
    /// <summary>Gets the ids [L]: the text, the end of sequence, then padding up to the requested length.</summary>
    public required int[] Ids { get; init; }

    /// <summary>Gets the number of ids before the padding, the end of sequence included; at least 1.</summary>
    public required int Length { get; init; }

    /// <summary>Gets the number of ids that the whole text takes with its end of sequence, cut or not.</summary>
    public required int UncutLength { get; init; }

    /// <summary>
    /// Gets the end of the text that did not fit and that the text encoder does not see, in the tokenizer's spelling;
    /// empty where the whole text fits.
    /// </summary>
    public required string CutText { get; init; }

    /// <summary>Gets a value indicating whether the end of the text did not fit.</summary>
    public bool IsCut => UncutLength > Length;
}

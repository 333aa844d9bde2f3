namespace Sora.Training;

/// <summary>Some batches from one place, the others from another.</summary>
/// <param name="main">What validates, and whose captions have all words.</param>
/// <param name="other">The others; they are drawn by numbers of their own, so that their rounds are whole.</param>
/// <param name="share">Their share, 0 to 1.</param>
internal sealed class MixedBatches(IFlowBatches main, IFlowBatches other, double share) : IFlowBatches
{
    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long> Vocabulary => main.Vocabulary;

    /// <inheritdoc/>
    public IEnumerable<string> WrittenCaptions => main.WrittenCaptions;

    /// <inheritdoc/>
    public int ValidationBatches => main.ValidationBatches;

    /// <inheritdoc/>
    public FlowBatch Draw(long number)
    {
        long before = OthersBefore(number);
        return OthersBefore(number + 1) > before ? other.Draw(before) : main.Draw(number);
    }

    /// <inheritdoc/>
    public Tensor[] Examples(int count) => main.Examples(count);

    /// <inheritdoc/>
    public FlowBatch DrawValidation(int number) => main.DrawValidation(number);

    /// <summary>Disposes both.</summary>
    public void Dispose()
    {
        main.Dispose();
        other.Dispose();
    }

    private long OthersBefore(long number) => (long)Math.Floor(number * share);
}

using Sora.Weights;

namespace Sora.Text;

/// <summary>T5's buckets of relative positions (Raffel et al. 2020, section 2.1), in both directions, and which keys are there.</summary>
public sealed class RelativePositions
{
    private readonly Lazy<long[]?> _lengths;

    /// <summary>The positions of a batch; its tensors belong to the current dispose scope.</summary>
    /// <param name="mask">1 for tokens, 0 for padding [B, L].</param>
    /// <param name="config">The buckets.</param>
    public RelativePositions(Tensor mask, UMT5Config config)
    {
        int length = (int)mask.size(1);
        Tensor present = mask.to(float32);
        long[] buckets = [.. Enumerable.Range(1 - length, (2 * length) - 1)
            .Select(distance => Bucket(distance, config.RelativeAttentionNumBuckets, config.RelativeAttentionMaxDistance))];
        DistanceBuckets = tensor(buckets).to(mask.device);
        PairBuckets = tensor(Pairs(buckets), [length, length]).to(mask.device);
        Blocked = (1 - present).mul(float.MinValue).unsqueeze(1).unsqueeze(1);
        _lengths = new(() => LengthsOf(mask));
    }

    /// <summary>The bucket of each distance from query to key, from 1 − L to L − 1: [2L − 1], int64.</summary>
    public Tensor DistanceBuckets { get; }

    /// <summary>The bucket of each pair (query, key): [L, L], int64.</summary>
    public Tensor PairBuckets { get; }

    /// <summary>What is added to the scores of padding [B, 1, 1, L].</summary>
    public Tensor Blocked { get; }

    /// <summary>
    /// The number of tokens of each text [B]; null where padding is not at the end, or a text is empty. Found when it is first
    /// asked for, from the mask, which must live until then: only one engine asks, and on a GPU the answer waits for it.
    /// </summary>
    public long[]? Lengths => _lengths.Value;

    private static long[]? LengthsOf(Tensor mask)
    {
        using DisposeScope scope = NewDisposeScope();
        float[] present = mask.to(float32).cpu().contiguous().data<float>().ToArray();
        int length = (int)mask.size(1);
        var lengths = new long[present.Length / length];
        for (int text = 0; text < lengths.Length; text++)
        {
            ReadOnlySpan<float> row = present.AsSpan(text * length, length);
            int count = row.IndexOf(0f) is var end and >= 0 ? end : length;
            if (count == 0 || row[..count].ContainsAnyExcept(1f) || row[count..].ContainsAnyExcept(0f))
                return null;
            lengths[text] = count;
        }
        return lengths;
    }

    private static long[] Pairs(long[] buckets)
    {
        int length = (buckets.Length + 1) / 2;
        var pairs = new long[length * length];
        for (int query = 0; query < length; query++)
            buckets.AsSpan(length - 1 - query, length).CopyTo(pairs.AsSpan(query * length));
        return pairs;
    }

    // Half of the buckets for keys after the query; of each half, half for exact distances and half for logarithmic ones.
    private static long Bucket(long relative, int count, int maximum)
    {
        int half = count / 2, exact = half / 2;
        long side = relative > 0 ? half : 0, distance = Math.Abs(relative);
        if (distance < exact)
            return side + distance;
        float logarithm = MathF.Log((float)distance / exact) / (float)Math.Log((double)maximum / exact) * (half - exact);
        return side + Math.Min(half - 1, exact + (long)logarithm);
    }
}

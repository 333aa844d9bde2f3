using Sora.Latents;
using Sora.Layers;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Estimation;

/// <summary>
/// The bytes that a stage computes at once at its peak, counted in the order of the networks' code: results stay until the layer
/// that made them is done. <c>bench/run.sh --only estimates</c> compares them with the process's resident memory.
/// </summary>
/// <param name="number">Bytes of a number in the type of matrix products: s.</param>
internal sealed class ActivationMemory(long number)
{
    /// <summary>What the runtime and the allocator take in steps, whatever the size.</summary>
    private const long Fixed = 4_000_000;

    /// <summary>
    /// What the allocator takes for the numbers of tensors, as a share: gaps between those that come and go, measured. Of tensors
    /// above 32 MB, which have pages of their own, it is less.
    /// </summary>
    private const double TransformerShare = 1.3;
    private const double DecoderShare = 1.3;

    /// <summary>How often the largest kernel of a convolution is held besides its parameters, measured.</summary>
    private const long KernelCopies = 3;

    /// <summary>The most scores that composed attention makes at once (Sora.Torch, Attention.MaximumScores).</summary>
    private const long MostScores = 16 << 20;

    // Where bfloat16 is computed in float32 its numbers are there twice, in 2 bytes and in 4.
    private readonly bool _widens = number == 2 && FusedKernels.WidensBFloat16;

    /// <summary>Of the text encoder, a layer on L tokens.</summary>
    public long Text(UMT5Config config, long l)
    {
        // For each pair of tokens and head: positions, products, and in float32 scores, scores with positions, scores with the mask,
        // weights; in 16 bits products and weights once more. Buckets of positions are numbers of 64 bits, managed and not.
        long pair = (config.NumHeads * (20 + (number == 2 ? 4 : 0))) + 16;
        long inner = (long)config.NumHeads * config.DKv;
        // Stream, both norms with what they square, sums; queries, keys, values, their sum in two orders; the inner width five times.
        long token = (config.DModel * (32 + (4 * number))) + (inner * 8 * number) + (5L * config.DFf * number);
        return Fixed + (l * l * pair) + (l * token);
    }

    /// <summary>Of the transformer, a block on the N patches of each clip, and what stays between blocks and steps.</summary>
    /// <param name="config">The transformer.</param>
    /// <param name="clips">2 under guidance, else 1.</param>
    /// <param name="n">The patches of a clip.</param>
    /// <param name="l">Text and image tokens.</param>
    public long Denoising(WanTransformerConfig config, long clips, long n, long l)
    {
        long d = config.InnerDim, m = clips * n;
        // At a block's end: the stream four times in float32; its inputs, queries and keys before and after the norm, values, what
        // attention gives in two orders, and both outputs; and the inner width twice.
        long end = m * ((d * (16 + (17 * number))) + (2 * config.FfnDim * number));
        // The inner width's product as float32, what it reads and the weight.
        end += _widens ? sizeof(float) * ((m * (d + config.FfnDim)) + (d * config.FfnDim)) : 0;
        long keys = clips * 2 * number * config.NumLayers * d * l;
        long angles = 2 * m * config.AttentionHeadDim * sizeof(float);
        // Noise, sample, the solver's past and its sums; of each branch its patches, its velocity and both joined.
        long latent = n * config.PatchSize.Aggregate(Math.Max(config.InChannels, config.OutChannels), (a, b) => a * b) * sizeof(float);
        long peak = Math.Max(end, Attention(config, clips, n)) + Textures(config, m) + keys + angles + ((10 + (4 * clips)) * latent);
        return Fixed + (long)(TransformerShare * peak);
    }

    /// <summary>Of the decoder, one latent frame, and the frames that are finished.</summary>
    /// <param name="config">The autoencoder.</param>
    /// <param name="latent">The video's latents.</param>
    /// <param name="frames">Its frames.</param>
    /// <param name="tiles">The tiles of the part that is computed tile by tile; what each keeps for the next latent frame counts.</param>
    /// <param name="again">Whether what is kept for the next latent frame is there twice, so that a window can be decoded again.</param>
    public long Decoding(AutoencoderKLWanConfig config, LatentShape latent, long frames, SpatialTiles tiles, bool again = false)
    {
        var chunk = new DecoderCost(config, latent.H, latent.W, first: latent.T == 1);
        long numbers = chunk.Largest + chunk.Cached;
        if (!tiles.IsWhole)
            numbers = chunk.InTiles(new(config, tiles.Rows.Max(row => row.Length), tiles.Columns.Max(column => column.Length), first: latent.T == 1), tiles.Count);
        numbers += again ? chunk.Cached : 0;
        long pixels = 3L * latent.H * latent.W * config.SpatialStride * config.SpatialStride;
        // Of a chunk as float32: decoded, joined from patches, clamped, and what the check and the rounding to 8 bits take.
        // By way of float32 a convolution takes half as much again, and libtorch's own in float32, which lays frames out anew, an eighth: measured.
        double each = _widens ? 3 : number == sizeof(float) && !FusedKernels.HasFloatConvolution ? 4.5 : number;
        double peak = ((numbers + (KernelCopies * chunk.Kernel)) * each) + (7 * Math.Min(frames, config.TemporalStride) * pixels * sizeof(float)) + (frames * pixels);
        return Fixed + (long)(DecoderShare * peak);
    }

    // Before the first block: the features of as many patches as are looked up at once, in float32 and as the product reads them. What
    // tensors of that size leave with the allocator a block does not use: measured.
    private long Textures(WanTransformerConfig config, long m) => config.MapHarmonics is null ? 0
        : Math.Min(m, TextureEmbedding.MostRows) * ((TextureEmbedding.Count(config) * (sizeof(float) + number + (_widens ? sizeof(float) : 0))) + (TextureSamples.Numbers(config) * sizeof(float)));

    // In the middle of a block, where attention is composed of products: the stream, and queries to values and their copies in the
    // order of heads; products and weights of as many queries as are computed at once, in float32 each twice.
    private long Attention(WanTransformerConfig config, long clips, long n)
    {
        if (number == 2 && config.AttentionHeadDim % 32 == 0 && ComputeTypes.ProcessorHasTiles)
            return 0;
        long tokens = clips * n * config.InnerDim * (4 + (11 * number));
        // Queries, keys, values and the result as float32.
        if (FusedKernels.HasFloatAttention)
            return tokens + (number == 2 ? clips * n * config.InnerDim * 4 * sizeof(float) : 0);
        long heads = clips * config.NumAttentionHeads;
        long scores = Math.Min(heads * n * n, Math.Max(MostScores, heads * n));
        return tokens + ((number == 4 ? 4 : 2) * scores * number);
    }
}

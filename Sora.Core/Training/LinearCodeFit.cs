using Sora.VideoVae;

namespace Sora.Training;

/// <summary>
/// Fills fresh channels of an autoencoder's linear code: with the principal components of what the autoencoder loses, the most first. The fewest
/// numbers that a linear code needs for it, and what a training of hours need not find.
/// </summary>
internal static class LinearCodeFit
{
    // Blocks for each value of a block: enough to tell its components from chance.
    private const int BlocksPerValue = 32;

    // Such a code needs no noise to be smooth: a hundredth of a deviation, beside which the training soon sees what it loses.
    private const double LogVariance = -9;

    // Where no batch has more than a first frame.
    private const int MostBatches = 1000;

    /// <summary>Fits the last channels of a network's latent; they are scaled to vary by 1. The encoder's network adds nothing to them at first.</summary>
    /// <param name="vae">The network; its code is zero in these channels, and its decoder does not read them.</param>
    /// <param name="clips">What is trained on.</param>
    /// <param name="fresh">How many channels.</param>
    /// <param name="cancellationToken">Honoured between batches.</param>
    public static void Apply(VideoAutoencoder vae, IVaeBatches clips, int fresh, CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        // Layers keep what they make of weights that do not change, and these are about to be trained.
        foreach (Parameter parameter in vae.Parameters.Values)
            parameter.requires_grad = true;
        string[] names = ["encode_first", "decode_first", "encode", "decode"];
        Parameter[] weights = [.. names.Select(name => vae.Parameters[$"linear_code.{name}.weight"])];
        Moments first = new(weights[1].size(0)), others = new(weights[3].size(0));
        for (int number = 0; number < MostBatches && others.Count < BlocksPerValue * others.Values; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using DisposeScope batch = NewDisposeScope();
            Tensor x = clips.Draw(number).ToTensor(CPU);
            (Tensor First, Tensor Others) drawn = vae.CodeBlocks(x), lost = vae.CodeBlocks(x - vae.Decode(vae.Encode(x).Mean));
            first.Add(drawn.First, lost.First);
            others.Add(drawn.Others, lost.Others);
        }
        long kept = vae.Config.ZDim - fresh;
        foreach (long half in (long[])[kept, vae.Config.ZDim + kept])                          // means, log variances
            vae.Parameters["quant_conv.weight"].narrow(0, half, fresh).zero_();
        vae.Parameters["quant_conv.bias"].narrow(0, kept, fresh).zero_();
        vae.Parameters["quant_conv.bias"].narrow(0, vae.Config.ZDim + kept, fresh).fill_(LogVariance);
        first.Fill(weights[0], weights[1], kept);
        others.Fill(weights[2], weights[3], kept);
    }

    // Of all blocks of one kind: sums of products of what is drawn and of what is lost.
    private sealed class Moments(long values)
    {
        private readonly Tensor _sum = zeros([values], float64);
        private readonly Tensor _drawn = zeros([values, values], float64);
        private readonly Tensor _lost = zeros([values, values], float64);

        public long Values => values;

        public long Count { get; private set; }

        public void Add(Tensor drawn, Tensor lost)
        {
            Count += drawn.size(0);
            _sum.add_(drawn.sum([0]));
            _drawn.add_(drawn.transpose(0, 1).matmul(drawn));
            _lost.add_(lost.transpose(0, 1).matmul(lost));
        }

        // A channel's row of the encoder and column of the decoder are one component, over and times the deviation of what the row gives.
        public void Fill(Tensor encode, Tensor decode, long channel)
        {
            long count = Math.Min(encode.size(0) - channel, values);
            if (Count == 0)
                return;
            (_, Tensor vectors) = linalg.eigh(_lost);                                      // ascending
            Tensor components = vectors.narrow(1, values - count, count).flip(1);          // V count
            Tensor mean = components.transpose(0, 1).matmul(_sum / Count);                 // count
            Tensor deviations = ((_drawn / Count).matmul(components) * components).sum([0]).sub(mean.square()).clamp(1e-8, 1e8).sqrt();
            encode.narrow(0, channel, count).copy_((components / deviations).transpose(0, 1));
            decode.narrow(1, channel, count).copy_(components * deviations);
        }
    }
}

using Sora.VideoVae;

namespace Sora.Training;

/// <summary>
/// Begins an autoencoder's linear code: with the principal components of what its networks lose, the most first. No other linear code of so many numbers
/// keeps more of it, and a training need not find them. Channels that are more than a finished code's begin with the components of what is lost in spite of it.
/// </summary>
internal static class LinearCodeFit
{
    // Blocks for each value of a block: enough to tell its components from chance.
    private const int BlocksPerValue = 32;

    // Where no batch has more than a first frame.
    private const int MostBatches = 400;

    /// <summary>Fits those of a network's code that are not finished, which are zero.</summary>
    /// <param name="vae">The network.</param>
    /// <param name="finished">How many are, the first ones.</param>
    /// <param name="clips">What is trained on.</param>
    /// <param name="cancellationToken">Honoured between batches.</param>
    public static void Apply(VideoAutoencoder vae, int finished, IVaeBatches clips, CancellationToken cancellationToken)
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
            (Tensor ofFirst, Tensor ofOthers) = vae.CodeBlocks(x - vae.Decode(vae.Encode(x).Mean));
            first.Add(ofFirst);
            others.Add(ofOthers);
        }
        first.Fill(weights[0], weights[1], finished);
        others.Fill(weights[2], weights[3], finished);
    }

    // Sums of products of all blocks of one kind.
    private sealed class Moments(long values)
    {
        private readonly Tensor _lost = zeros([values, values], float64);

        public long Values => values;

        public long Count { get; private set; }

        public void Add(Tensor lost)
        {
            Count += lost.size(0);
            _lost.add_(lost.transpose(0, 1).matmul(lost));
        }

        // A channel's row of the encoder and column of the decoder are one component, of length 1: weights as large as a network's own, for which learning rates are.
        // The code is given what the networks lose: of that a fresh row reads what the finished rows and columns leave.
        public void Fill(Tensor encode, Tensor decode, int finished)
        {
            long count = Math.Min(encode.size(0), values) - finished;
            if (Count == 0 || count <= 0)
                return;
            (_, Tensor vectors) = linalg.eigh(_lost / Count);                              // ascending
            Tensor columns = vectors.narrow(1, values - count, count).flip(1).to(float32); // V count
            Tensor rows = columns.transpose(0, 1);
            encode.narrow(0, finished, count).copy_(rows - rows.matmul(decode.narrow(1, 0, finished)).matmul(encode.narrow(0, 0, finished)));
            decode.narrow(1, finished, count).copy_(columns);
        }
    }
}

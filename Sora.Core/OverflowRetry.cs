using Sora.Layers;
using Sora.VideoVae;

namespace Sora;

/// <summary>
/// Computes a stage again in float32 where its numbers left the range of the precision. The network is loaded in float32 for
/// that alone, and a note tells of it.
/// </summary>
/// <param name="allowed">Whether the options allow it; else the first failure stands.</param>
/// <param name="clock">Told the note, and the time of loading.</param>
internal sealed class OverflowRetry(bool allowed, StageClock clock)
{
    /// <summary>Whether a part's work may be repeated in float32.</summary>
    public bool Covers<T>(ModelPart<T> part)
        where T : class, IDisposable => allowed && part.InFloat32 is not null;

    /// <summary>Computes with a part, and once more with the same in float32.</summary>
    /// <param name="part">The part.</param>
    /// <param name="compute">Computes; says by <see cref="Finite.Require"/> that its numbers are none.</param>
    /// <exception cref="SoraException">The numbers are none in float32 either, or the options do not allow another attempt.</exception>
    public TResult Run<T, TResult>(ModelPart<T> part, Func<T, TResult> compute)
        where T : class, IDisposable
    {
        ModelPart<T> other;
        try
        {
            using ModelPart<T>.Loan loan = part.Borrow(clock);
            return compute(loan.Network);
        }
        catch (NotFiniteException e)
        {
            other = InFloat32(part, e.Stage);
        }
        using ModelPart<T>.Loan again = other.Borrow(clock);
        try
        {
            return compute(again.Network);
        }
        catch (NotFiniteException e)
        {
            throw Damaged(e.Stage);
        }
    }

    /// <summary>The chunks of a decoder. Those that were given before one that is not finite stay, and the rest is float32's.</summary>
    /// <param name="part">The autoencoder.</param>
    /// <param name="stage">The stage, as the beginning of a sentence.</param>
    /// <param name="decode">Decodes from the beginning; who reads a chunk disposes it.</param>
    /// <exception cref="SoraException">A chunk is not finite in float32 either, or the options do not allow another attempt.</exception>
    public IEnumerable<Tensor> Chunks(ModelPart<VideoAutoencoder> part, string stage, Func<VideoAutoencoder, IEnumerable<Tensor>> decode)
    {
        ModelPart<VideoAutoencoder> current = part;
        for (int given = 0; ;)
        {
            using ModelPart<VideoAutoencoder>.Loan loan = current.Borrow(clock);
            int decoded = 0;
            bool finite = true;
            foreach (Tensor chunk in decode(loan.Network))
            {
                finite = Finite.Is(chunk);
                decoded++;
                if (finite && decoded > given)
                {
                    given++;
                    yield return chunk;
                    continue;
                }
                chunk.Dispose();
                if (!finite)
                    break;
            }
            if (finite)
                yield break;
            current = current == part ? InFloat32(part, stage) : throw Damaged(stage);
        }
    }

    /// <summary>The same part in float32, after a note.</summary>
    /// <exception cref="NotFiniteException">There is none, or the options do not allow it.</exception>
    public ModelPart<T> InFloat32<T>(ModelPart<T> part, string stage)
        where T : class, IDisposable
    {
        if (!Covers(part))
            throw new NotFiniteException(stage);
        clock.Note($"{stage} left the range of bfloat16 and was computed again in float32.");
        return part.InFloat32!;
    }

    /// <summary>What to say where float32 does not help.</summary>
    public static SoraException Damaged(string stage) => new($"{stage} gave NaN or infinity, in float32 too: the weights are damaged.");
}

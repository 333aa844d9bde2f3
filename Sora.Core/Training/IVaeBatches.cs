namespace Sora.Training;

/// <summary>What an autoencoder is trained on, each batch a pure function of its number.</summary>
internal interface IVaeBatches
{
    /// <summary>Whether what is measured on is kept from training; of a folder of a few clips it is not.</summary>
    bool HasUnseen { get; }

    /// <summary>How many batches there are to measure on.</summary>
    int Measured { get; }

    /// <summary>How many batches there are for the statistics of the latents.</summary>
    int Sampled { get; }

    /// <summary>Draws a batch for training; called on a thread of its own.</summary>
    ClipBatch Draw(long number);

    /// <summary>Draws a batch to measure on, 0 to <see cref="Measured"/> − 1.</summary>
    ClipBatch DrawMeasured(int number);

    /// <summary>Draws a batch for the statistics of the latents, 0 to <see cref="Sampled"/> − 1.</summary>
    ClipBatch DrawSampled(int number);
}

namespace Sora.Training;

/// <summary>What an autoencoder is trained on, each batch a pure function of its number.</summary>
internal interface IVaeBatches
{
    /// <summary>How many batches there are that training does not draw.</summary>
    int Unseen { get; }

    /// <summary>Draws a batch for training; called on a thread of its own.</summary>
    ClipBatch Draw(long number);

    /// <summary>Draws a batch that training does not draw, 0 to <see cref="Unseen"/> − 1.</summary>
    ClipBatch DrawUnseen(int number);
}
